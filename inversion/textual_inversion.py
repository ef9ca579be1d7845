"""Words that textual inversion taught a tokenizer (Gal et al., arXiv 2208.01618), of one vector or of several.

A word of several vectors is several tokens: `<cat>`, `<cat>_1`, `<cat>_2`. A prompt says only the first; the encoder
must read all of them.
"""

import re
from itertools import count, takewhile
from typing import Any

Span = tuple[int, int]


def expanded(tokenizer: Any, prompt: str) -> str:
    """A prompt with all the tokens of each word of several vectors, as diffusers' pipelines write it."""
    return _expand(prompt, _words_of_several(tokenizer))


def expanded_span(tokenizer: Any, prompt: str, span: Span) -> Span:
    """Where the characters [start, end) of a prompt are in its expansion."""
    words = _words_of_several(tokenizer)
    start, end = (len(_expand(prompt[:at], words)) for at in span)
    return start, end


def _words_of_several(tokenizer: Any) -> dict[str, str]:
    """For every such word all its tokens."""
    added = tokenizer.added_tokens_encoder
    firsts = [token for token in added if f"{token}_1" in added]
    further = {first: takewhile(added.__contains__, (f"{first}_{k}" for k in count(1))) for first in firsts}
    return {first: " ".join([first, *rest]) for first, rest in further.items()}


def _expand(text: str, words: dict[str, str]) -> str:
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: words[found[0]], text)
