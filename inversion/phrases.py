"""The token positions of a phrase of the prompt: "red mug" -> 2, 3.

Positions count the whole row that the text encoder sees (begin-of-text is 0). They come from
character offsets, so a word split into several tokens and a word that occurs in another word are
both found correctly.
"""

import re
from collections.abc import Sequence
from typing import Any

from inversion.errors import PhraseError

_FUNCTION_WORDS = frozenset(
    "a an the of on in at to with and or next beside near by front behind under over is are its his her "
    "their photo picture snapshot image close".split()
)


def phrases(prompt: str) -> list[str]:
    """The candidate object phrases of a prompt: runs of words without articles and prepositions.

    >>> phrases("a photo of a red ball and a striped blue can on a wooden table")
    ['red ball', 'striped blue can', 'wooden table']
    """
    found: list[str] = []
    run: list[str] = []
    for word in [*re.findall(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]", prompt), "."]:
        if word.lower() in _FUNCTION_WORDS or not word[0].isalnum():
            if run:
                found.append(" ".join(run))
            run = []
        else:
            run.append(word)
    return found


def find_phrase(prompt: str, phrase: str) -> tuple[int, int]:
    """The characters [start, end) of `phrase` in `prompt`, matched as whole words.

    Raises:
        PhraseError: the phrase is missing, or occurs more than once.
    """
    words = re.findall(r"\S+", phrase)
    pattern = r"(?<!\w)" + r"\s+".join(re.escape(w) for w in words) + r"(?!\w)"
    matches = list(re.finditer(pattern, prompt, re.IGNORECASE)) if words else []
    if not matches:
        known = ", ".join(f'"{p}"' for p in phrases(prompt)) or "nothing"
        raise PhraseError(f'"{phrase}" is not in the prompt "{prompt}"; it names: {known}')
    if len(matches) > 1:
        raise PhraseError(
            f'"{phrase}" occurs {len(matches)} times in the prompt "{prompt}"; '
            "give more of its words, so that only one object is meant"
        )
    return matches[0].span()


def first_unread(tokenizer: Any, prompt: str) -> int:
    """The index of the first character of `prompt` whose token no longer fits the row; its length if all do."""
    encoded = tokenizer(prompt, return_offsets_mapping=True)
    fitting = tokenizer.model_max_length - 1  # the last place is the end mark's
    offsets = encoded["offset_mapping"]
    return offsets[fitting][0] if len(offsets) > fitting + 1 else len(prompt)


def span_positions(tokenizer: Any, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
    """The positions in the encoded row of the tokens of the characters [start, end) of `prompt`.

    Raises:
        PhraseError: they are cut off by the prompt's maximum length.
    """
    positions = _positions(_offsets(tokenizer, prompt), *span)
    if not positions:
        raise PhraseError(
            f'"{prompt[slice(*span)]}" lies beyond the {tokenizer.model_max_length} tokens that the model reads; '
            "shorten the prompt or name the object earlier"
        )
    return positions


def _offsets(tokenizer: Any, prompt: str) -> list[tuple[int, int]]:
    encoded = tokenizer(prompt, truncation=True, max_length=tokenizer.model_max_length, return_offsets_mapping=True)
    return encoded["offset_mapping"]


def _positions(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, ...]:
    # Special tokens have an empty span (0, 0) and therefore never overlap the phrase.
    return tuple(i for i, (a, b) in enumerate(offsets) if a < end and b > start and a < b)
