"""The token positions of a phrase of the prompt: "red mug" -> 2, 3.

Positions count the whole row that the text encoder sees (begin-of-text is 0). They come from
character offsets, so a word split into several tokens and a word that occurs in another word are
both found correctly.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from inversion.errors import PhraseError

_FUNCTION_WORDS = frozenset(
    "a an the of on in at to with and or next beside near by front behind under over is are its his her "
    "their photo picture snapshot image close".split()
)
_APOSTROPHES = "'\u2019\u2018\u02bc\u02b9\uff07\u00b4`"
_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2212"
_SAME = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_QUOTES, '"'), **dict.fromkeys(_HYPHENS, "-")}
)
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han. Korean has them, but particles at nouns.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HANGUL = "\uac00-\ud7af"
_START = rf"(?:(?<!\w)|(?=[{_UNSPACED}])|(?<=[{_UNSPACED}]))"
_END = rf"(?:(?!\w)|(?<=[{_UNSPACED}{_HANGUL}])|(?=[{_UNSPACED}]))"
_JAMO = range(0x1160, 0x1200)  # code points of the vowels and final consonants of a Korean syllable that is decomposed
_WORD = rf"[^\W_]+(?:[{re.escape(_APOSTROPHES + _HYPHENS)}][^\W_]+)*"


def phrases(prompt: str) -> list[str]:
    """The candidate object phrases of a prompt: runs of words without articles and prepositions.

    >>> phrases("a photo of a red ball and a striped blue can on a wooden table")
    ['red ball', 'striped blue can', 'wooden table']
    >>> phrases("black_vase, wooden_table")
    ['black vase', 'wooden table']
    """
    found: list[str] = []
    run: list[str] = []
    for word in [*re.findall(rf"{_WORD}|[^\w\s]", unicodedata.normalize("NFC", prompt)), "."]:
        if word.lower() in _FUNCTION_WORDS or not word[0].isalnum():
            if run:
                found.append(" ".join(run))
            run = []
        else:
            run.append(word)
    return found


def comparable(text: str) -> str:
    """The same for texts that are the same words, however they are written; see `find_phrase`."""
    return " ".join(_plain(text)[0].split())


def readable(text: str) -> str:
    """A text with composed accents and single spaces, also for "_"."""
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())


def find_phrase(prompt: str, phrase: str) -> tuple[int, int]:
    """The characters [start, end) of `phrase` in `prompt`, matched as whole words (in scripts without spaces, as signs)
    whatever their case, how accents are composed, quotes and apostrophes set, and words joined by "_" or spaces.

    Raises:
        PhraseError: the phrase is missing, or occurs more than once.
    """
    text, starts, ends = _plain(prompt)
    wanted = _plain(phrase)[0].strip()
    if len(wanted) > 2 and wanted[0] == wanted[-1] and wanted[0] in "\"'":  # quotes that no shell took for any
        wanted = wanted[1:-1]
    words = [re.escape(word) for word in wanted.split()]
    matches = list(re.finditer(_START + r"\s+".join(words) + _END, text)) if words else []
    if not matches:
        known = ", ".join(f'"{p}"' for p in phrases(prompt)) or "nothing"
        raise PhraseError(f'"{phrase}" is not in the prompt "{prompt}"; it names: {known}')
    if len(matches) > 1:
        raise PhraseError(
            f'"{phrase}" occurs {len(matches)} times in the prompt "{prompt}"; '
            "give more of its words, so that only one object is meant"
        )
    return starts[matches[0].start()], ends[matches[0].end() - 1]


def _plain(text: str) -> tuple[str, list[int], list[int]]:
    """A text for comparison (composed, folded, with plain quotes, and spaces for "_"), and for each of its characters
    where those of the text begin and end that it stands for."""
    plain, starts, ends = "", [], []
    heads = [i for i, c in enumerate(text) if not (unicodedata.combining(c) or ord(c) in _JAMO)]
    for start, end in zip([0, *heads[1:]], [*heads[1:], len(text)], strict=True) if text else ():
        folded = unicodedata.normalize("NFKC", text[start:end].translate(_SAME)).casefold()
        folded = unicodedata.normalize("NFKC", folded).translate(_SAME).replace("_", " ")
        plain += folded
        starts += [start] * len(folded)
        ends += [end] * len(folded)
    return plain, starts, ends


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
