"""Which word of one prompt stands for which of another, and what that makes of attention (Hertz et al., arXiv
2208.01626, section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel


@dataclass(frozen=True, eq=False)
class WordMap:
    """Attention under the photo's prompt and under new words, as one map of both.

    `carried` (tokens, tokens): from tokens of the one prompt to those of the other; `share` (tokens,): of each new
    token, how much it gets of what is carried; the rest stays its own; `weights` (tokens,): by what all is multiplied.
    """

    carried: Tensor
    share: Tensor
    weights: Tensor

    def __call__(self, then: Tensor, now: Tensor) -> Tensor:
        """Probabilities (1, heads, cells, tokens) of what was seen `then` in the photo, and is seen `now`."""
        carried, share, weights = (each.to(now.device) for each in (self.carried, self.share, self.weights))
        return (share * (then @ carried) + (1 - share) * now) * weights

    def sources(self, tokens: Sequence[int]) -> list[int]:
        """The photo's tokens of which some new ones get anything."""
        taken = self.carried[:, list(tokens)] * self.share[list(tokens)]
        return taken.sum(1).nonzero()[:, 0].tolist()


def word_map(model: DiffusionModel, prompt: str, words: str, weights: Mapping[str, float]) -> WordMap:
    """Between prompts of as many words each stands for the one at its place (replacement); else words that both have in
    the same order do, and new ones keep what is theirs (refinement). `weights`: of phrases of the new prompt.

    Raises:
        EditError: the two have no word in common.
        PhraseError: a phrase is not in the new prompt, or more than once.
    """
    old, new = _token_groups(model, prompt), _token_groups(model, words)
    same = common_words(prompt.lower().split(), words.lower().split())
    if not same:
        raise EditError(f'"{words}" and the photo\'s "{prompt}" have no word in common, so no attention can be carried')
    pairs = list(zip(range(len(old)), range(len(new)), strict=True)) if len(old) == len(new) else same
    length = model.embed(words).tokens.shape[1]
    carried, share = torch.zeros(length, length), torch.zeros(length)
    for here, there in pairs:
        _carry(carried, old[here], new[there])
        share[list(new[there])] = 1
    carried[0, 0] = share[0] = 1  # the mark of the beginning
    ends = old[-1][-1] + 1, new[-1][-1] + 1  # that of the end, and what fills the row
    for k in range(length - ends[1]):
        carried[min(ends[0] + k, length - 1), ends[1] + k] = share[ends[1] + k] = 1
    factors = torch.ones(length)
    for phrase, weight in weights.items():
        factors[list(model.positions(words, phrase))] = weight
    return WordMap(carried, share, factors)


def _carry(carried: Tensor, old: Sequence[int], new: Sequence[int]) -> None:
    """Of words of as many tokens each to each; else each new one gets its part of all."""
    if len(old) == len(new):
        carried[list(old), list(new)] = 1
    else:
        carried[torch.tensor(old)[:, None], torch.tensor(new)] = 1 / len(new)


def _token_groups(model: DiffusionModel, prompt: str) -> list[tuple[int, ...]]:
    """The tokens of every word, those between spaces, as far as the model reads."""
    groups, at = [], 0
    for word in prompt.split():
        start = prompt.index(word, at)
        at = start + len(word)
        if prompt[start:] not in model.texts.unread(prompt):
            groups.append(model.span_positions(prompt, (start, at)))
    return groups


def common_words(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The longest run of pairs of the same word in both, in order (Needleman and Wunsch's alignment where a gap costs
    nothing and different words are never paired).

    >>> common_words("a cat on a mat".split(), "a big cat on the mat".split())
    [(0, 0), (1, 2), (2, 3), (4, 5)]
    """
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, a in reversed(list(enumerate(old))):
        for j, b in reversed(list(enumerate(new))):
            best[i][j] = best[i + 1][j + 1] + 1 if a == b else max(best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    return pairs
