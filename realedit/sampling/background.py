"""What a caption says of the place when objects that it names are gone.

A caption is taken apart into groups of words, each led by the small words before it ("next to a", "and", "wearing").
Groups go that hold a word of an object that goes, and those that only say more of it: its other adjectives, what it
wears, holds, does and is made of. Places stay, in the caption's own words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inversion.phrases import readable

ANY_BACKGROUND = "a photo of a background"

ARTICLES = frozenset("a an the this that these those some several many few two three four five six another one".split())
POSSESSIVES = frozenset("its his her their whose".split())
PLACES = frozenset(
    "in on at under underneath beneath below above over near beside by behind inside outside along across against "
    "among between through around down up off into onto past towards from within upon amid atop alongside next front "
    "out".split()
)
JOINTS = frozenset("and or with without of to for as while which who where it he she they there up top".split())
VERBS = frozenset(
    "is are was were be being been has have had lies lays sits stands rests hangs leans runs walks plays looks stares "
    "flies swims sleeps eats drinks holds wears carries rides jumps waits grows floats made full asleep awake".split()
)
FRAMING = frozenset("photo photograph picture snapshot image close closeup close-up view shot camera viewer".split())
NO_VERBS = frozenset(  # that end like one
    "living dining building ceiling railing painting clothing awning wing ring king spring evening "
    "morning swing bedding flooring bed shed weed reed sled seed red feed".split()
)
WORN_OR_OWN = frozenset(  # of people and animals: what says more of them wherever a caption puts it
    "dress shirt t-shirt suit hat cap jacket coat pants jeans shorts skirt uniform costume glasses sunglasses helmet "
    "sweater hoodie scarf tie gown robe apron vest boots shoes gloves swimsuit outfit clothes collar leash bandana "
    "harness hand hands mouth back head face tail arms arm legs leg lap shoulder neck eyes paws feet side stomach "
    "tongue ears nose hair fur beard smile phone".split()
)
PARTS = frozenset("side middle center centre corner edge end top bottom back front rest".split())  # of a place
SEEN = frozenset("looking staring gazing smiling barking pointing looks stares".split())  # at what is no place
UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af]")  # scripts whose words no space tells apart


@dataclass(frozen=True)
class _Group:
    """A run of words that say something, the characters [start, end) of a caption, and the small words and signs before
    it, its `lead`."""

    lead: tuple[str, ...]
    words: tuple[str, ...]
    start: int
    end: int

    def led_by(self, words: frozenset[str]) -> bool:
        return not words.isdisjoint(self.lead)

    @property
    def says_more(self) -> bool:
        """Whether it says more of what is named just before it, or of the same."""
        if {self.words[-1], self.words[-1].removesuffix("s")} & WORN_OR_OWN or (
            "at" in self.lead and self.led_by(SEEN)
        ):
            return True
        if self.led_by(PLACES):
            return False
        coordinated = self.lead[:1] in (("and",), (",",), ("or",), (".",), (";",))
        return not (coordinated and self.led_by(ARTICLES))

    @property
    def does(self) -> bool:
        """Whether something is doing something with it, or at it: "preparing food", "standing next to a fence"."""
        return any(_is_verb(word) for word in self.lead)

    @property
    def place(self) -> str:
        """The words of place and the article that lead it."""
        first = next((k for k, word in enumerate(self.lead) if word in PLACES), len(self.lead))
        return " ".join(self.lead[first:])

    @property
    def article(self) -> str:
        last = self.lead[-1] if self.lead else ""
        return f"{last} " if last in ARTICLES else ("a " if last in POSSESSIVES else "")


def background_prompt(caption: str, objects: Sequence[str]) -> str:
    """What a caption says beside its objects. Where nothing else is named, the words ask for a background, since a
    model that is told nothing draws an object.

    >>> background_prompt("a photo of a red ball and a can on a table in front of a wall", ["red ball", "can"])
    'a photo of a table in front of a wall'
    >>> background_prompt("a small, brown dog wearing a hat sits in the grass next to a tree", ["dog"])
    'a photo of the grass next to a tree'
    """
    place = place_words(caption, objects)
    return f"a photo of {place}" if place else ANY_BACKGROUND


def place_words(caption: str, objects: Sequence[str]) -> str:
    """The same without what leads it; empty where nothing is left."""
    if UNSPACED.search(caption):
        return ""
    caption, objects = readable(caption), [words for each in objects if (words := readable(each))]
    groups = _groups(caption)
    gone = _gone(caption, groups, objects)
    if not any(group.led_by(ARTICLES | PLACES) for group in groups):  # a list of tags
        tags = _overlapping(caption, groups, objects)
        return ", ".join(caption[g.start : g.end] for g, tag in zip(groups, tags, strict=True) if not tag)
    text, last = "", -2
    for k, group in enumerate(groups):
        if gone[k] or (group.does and not group.place):
            continue
        if text and any("." in g.lead for g in groups[last + 1 : k + 1]):
            break  # one sentence says where it is
        words = caption[group.start : group.end]
        if not text:
            text = group.article + words
        elif last == k - 1 and not group.does:
            text += caption[groups[last].end : group.end]
        else:
            text += f" {group.place} {words}" if group.place else f" and {group.article}{words}"
        last = k
    return text


def _groups(caption: str) -> list[_Group]:
    """A caption's groups of words in turn, without those that say what kind of picture it is."""
    found: list[_Group] = []
    lead: list[str] = []
    run: list[re.Match[str]] = []
    tokens = [*re.finditer(r"[^\W_]+(?:['\u2019-][^\W_]+)*|[^\w\s]", caption)]
    for k, token in enumerate(tokens):
        word = token[0].lower()
        after = tokens[k + 1][0].lower() if k + 1 < len(tokens) else "."
        if not _is_small(word, after) and not (run and _is_verb(word)):
            run.append(token)
            continue
        if run:
            found.append(_Group(tuple(lead), tuple(w[0].lower() for w in run), run[0].start(), run[-1].end()))
            lead, run = [], []
        if word in FRAMING:
            found, lead = [], []  # what came before says what kind of picture it is
        else:
            lead.append(word)
    if run:
        found.append(_Group(tuple(lead), tuple(w[0].lower() for w in run), run[0].start(), run[-1].end()))
    return found


def _is_small(word: str, after: str) -> bool:
    """Whether a word names nothing: before a thing's name "running" and "spotted" say what it is like, else what it
    does."""
    if word in ARTICLES | POSSESSIVES | PLACES | JOINTS | VERBS | FRAMING or not word[0].isalnum():
        return True
    if word in PARTS and after == "of":
        return True
    participle = word.endswith("ed") and word not in NO_VERBS and len(word) > 4
    return (participle or _is_verb(word)) and (
        not after[0].isalnum() or after in ARTICLES | POSSESSIVES | PLACES | JOINTS
    )


def _is_verb(word: str) -> bool:
    """Whether a word says what something does, after the name of that."""
    return word.endswith("ing") and word not in NO_VERBS and len(word) > 4


def _overlapping(caption: str, groups: Sequence[_Group], objects: Sequence[str]) -> list[bool]:
    """Which groups hold a word of the objects: all their words together, or what they are, in either number."""
    spans = []
    for each in objects:
        words = [re.escape(word) for word in each.split()]
        for pattern in (r"\s+".join(words), words[-1] + "(?:e?s)?(?:['\u2019]s?)?"):
            spans += [m.span() for m in re.finditer(rf"(?<![^\W_]){pattern}(?![^\W_])", caption, re.IGNORECASE)]
    return [any(start < g.end and end > g.start for start, end in spans) for g in groups]


def _gone(caption: str, groups: Sequence[_Group], objects: Sequence[str]) -> list[bool]:
    """Which groups go with the objects."""
    gone = _overlapping(caption, groups, objects)
    for k in reversed(range(1, len(groups))):  # "a small, brown dog", "a pair of dogs"
        joined = not groups[k].led_by(ARTICLES | POSSESSIVES | PLACES) and groups[k].lead[0] in ("and", ",", "or")
        described = all(_is_verb(word) for word in groups[k].lead)  # "a small sleeping dog"
        gone[k - 1] |= gone[k] and (joined or described or groups[k].lead[0] == "of")
    for k in range(1, len(groups)):  # "a dog, brown and white, with a ball in its mouth"
        gone[k] |= gone[k - 1] and groups[k].says_more
    return gone
