"""Cross-attention of a phrase's tokens, as maps and as one soft mask."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.properties import shape


def attention_of(attention: dict[str, Tensor], tokens: Sequence[int]) -> dict[str, Tensor]:
    """Of every layer the maps of some tokens, float32: (steps or B, tokens, h, w)."""
    return {name: maps[:, list(tokens)].float() for name, maps in attention.items()}


def phrase_map(attention: dict[str, Tensor], tokens: Sequence[int]) -> Tensor:
    """Where a whole phrase is attended to, (steps or B, h, w) in [0, 1]: the sum over its words, the
    mean over the finest layers, relative to its peak. For finding an object, not for guiding one."""
    maps = attention_of(attention, tokens)
    cells = max(m.shape[-2] * m.shape[-1] for m in maps.values())
    total = torch.stack([m.sum(1) for m in maps.values() if m.shape[-2] * m.shape[-1] == cells]).mean(0)
    return total / total.amax((-2, -1), keepdim=True).clamp(min=1e-9)


def object_shape(attention: dict[str, Tensor]) -> Tensor:
    """One soft mask (steps, h, w) of an object, at the finest layer's size: the mean over layers and
    words of their shapes."""
    finest = max((maps.shape[-2:] for maps in attention.values()), key=lambda s: s[0] * s[1])
    each = [
        F.interpolate(shape(maps), size=finest, mode="bilinear", align_corners=False).mean(1)
        for maps in attention.values()
    ]
    return torch.stack(each).mean(0)
