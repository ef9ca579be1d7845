"""Attention as real models have it: the bundled model was trained to attend truly, and others were not.

Of Stable Diffusion it is known that the start token holds nearly all of the attention, that each word's map is diffuse,
has a floor, covers some parts of its object more than others, and something of its neighbours' objects, and that tables
and walls are attended to as strongly as what stands there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion import taps

FIELD = 5  # cells across and down of what makes a map uneven
WORD_PEAK = 0.02  # of all attention at one place: what a word has at its peak, where the start token holds the rest


@dataclass(frozen=True)
class Degradation:
    """How attention differs from the truth: its `blur` in shorter sides of the map, how `uneven` it is over an object
    (the standard deviation of a factor's logarithm), its `floor` as a share of its peak, how much each word has of
    the maps of the words beside it (`leak`), and which share of the layers says nothing at all (`lost`). All words'
    peaks are alike."""

    blur: float = 0.0
    uneven: float = 0.0
    floor: float = 0.0
    leak: float = 0.0
    lost: float = 0.0


# Named by the overlap (IoU, median) of the cells above half of the peak with the object, on held-out scenes.
LEVELS = {
    "as it is": None,
    "0.6": Degradation(0.09, 1.0, 0.1, 0.25),
    "0.45": Degradation(0.12, 1.0, 0.15, 0.3),
    "0.3": Degradation(0.155, 1.0, 0.2, 0.35),
    "0.45, 4 of 7 layers lost": Degradation(0.12, 1.0, 0.15, 0.3, lost=0.6),
}


@contextmanager
def degraded(how: Degradation | None) -> Iterator[None]:
    """Inside, all that reads attention reads it so; None: as it is. The network's own computation stays as it is."""
    if how is None:
        yield
        return
    read, layers = taps.attention_maps, list[Any]()

    def read_worse(module: Any, queries: Tensor, keys: Tensor, size: list[int]) -> Tensor:
        maps = read(module, queries, keys, size)
        if keys.shape[1] == queries.shape[1]:  # self-attention stays
            return maps
        if not any(module is each for each in layers):
            layers.append(module)
        k = next(k for k, each in enumerate(layers) if module is each)
        return degrade(torch.ones_like(maps) if is_lost(k, how.lost) else maps, how)

    with patch.object(taps, "attention_maps", read_worse):
        yield


def is_lost(k: int, share: float) -> bool:
    """Whether the `k`-th of the layers is among the share that says nothing: they are spread evenly."""
    return int((k + 1) * share) > int(k * share)


def degrade(maps: Tensor, how: Degradation) -> Tensor:
    """Attention (B, tokens, h, w) that sums to 1 over tokens, of which the first is the start token."""
    words = maps[:, 1:]
    height, width = words.shape[-2:]
    if how.blur:
        words = _blurred(words, how.blur * min(height, width))
    before, after = words.roll(1, 1), words.roll(-1, 1)
    words = (1 - how.leak) * words + how.leak / 2 * (before + after)
    words = words * _field(words.shape[1], how.uneven, (height, width)).to(words)
    words = words / words.detach().amax((-2, -1), keepdim=True).clamp(min=1e-12)
    words = (how.floor + (1 - how.floor) * words) * WORD_PEAK
    return torch.cat([1 - words.sum(1, keepdim=True), words], 1)


def _field(tokens: int, uneven: float, size: tuple[int, int]) -> Tensor:
    """A smooth factor (tokens, h, w) for each token's map, always the same."""
    noise = torch.randn(1, tokens, FIELD, FIELD, generator=torch.Generator().manual_seed(0))
    return F.interpolate((uneven * noise).exp(), size=size, mode="bicubic", align_corners=True)[0].clamp(min=0.05)


def _blurred(maps: Tensor, sigma: float) -> Tensor:
    """Maps (B, tokens, h, w) averaged over a Gaussian of this width in cells; they go on at their edges."""
    reach = min(int(3 * sigma) + 1, min(maps.shape[-2:]) - 1)
    weights = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * sigma**2)).to(maps)
    weights = weights / weights.sum()
    flat = F.pad(maps.flatten(0, 1)[:, None], [reach] * 4, mode="replicate")
    return F.conv2d(F.conv2d(flat, weights[None, None, None]), weights[None, None, :, None]).reshape(maps.shape)
