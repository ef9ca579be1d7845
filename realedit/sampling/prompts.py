"""Prompts for sampling: the edited objects in their new words, and the place in the photo's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inversion.phrases import find_phrase, readable
from realedit.sampling.background import place_words


@dataclass(frozen=True)
class PromptSpans:
    """A `prompt`, and of every object the characters [start, end) that name it there."""

    prompt: str
    spans: dict[str, tuple[int, int]]

    def words(self, phrase: str) -> str:
        """The words that name an object now."""
        return self.prompt[slice(*self.spans[phrase])]

    def named(self, phrase: str) -> str:
        """An object and the words that name it now.

        >>> PromptSpans("a photo of a red egg", {"egg": (13, 20)}).named("egg")
        '"egg" as "red egg"'
        """
        words = self.words(phrase)
        return f'"{phrase}"' if words.lower() == phrase.lower() else f'"{phrase}" as "{words}"'


def phrase_with_appearance(phrase: str, other: str) -> str:
    """The object of `phrase` with the looks of `other`: its own last word, and the other's words before.

    >>> phrase_with_appearance("red ball", "striped blue can")
    'striped blue ball'
    """
    return " ".join([*other.split()[:-1], phrase.split()[-1]])


def object_prompt(names: Mapping[str, str], setting: str) -> PromptSpans:
    """A prompt that names just these objects (by key: the words to use) and where they are.

    >>> object_prompt({"can": "orange can", "ball": "ball"}, " on a table").prompt
    'a photo of an orange can and a ball on a table'
    """
    text, spans = "a photo of", {}
    for k, (phrase, words) in enumerate(names.items()):
        text += (" and" if k else "") + (" an " if words.lstrip()[:1].lower() in "aeiou" else " a ")
        spans[phrase] = (len(text), len(text) + len(words))
        text += words
    return PromptSpans(text + setting, spans)


def setting_words(prompt: str, objects: Sequence[str]) -> str:
    """What a prompt says of the place, without its objects: the words after the last of them, or else what is left
    without them.

    >>> setting_words("a red can next to a ball on a table", ["red can", "ball"])
    ' on a table'
    """
    prompt = readable(prompt)
    after = prompt[max(find_phrase(prompt, o)[1] for o in objects) :].rstrip(" .")
    place = place_words(prompt, objects)
    return f" with {place}" if place and not place_words(after, objects) else after
