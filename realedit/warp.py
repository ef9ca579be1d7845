"""Apply a placement to tensors: photos, masks, attention maps, noise."""

import math

import torch
from torch import Tensor

from realedit.placement import Placement

REACH = 2.0  # pixels to either side that a value is mixed from, where nothing is shrunk


def warp(image: Tensor, placement: Placement, *, size: tuple[int, int] | None = None, nearest: bool = False) -> Tensor:
    """Move the content of `image` (B, C, H, W) as `placement` says; what leaves the frame is gone
    and what comes from outside is 0.

    Values are mixed by cubic convolution (Keys 1981), which keeps edges sharp, over as many more pixels
    as the content shrinks; the result stays within the image's own range. With a `size` (width, height)
    the result is a frame of that size, in which a scale of 1 keeps things as large against the shorter
    side as they were. `nearest` copies values instead of mixing them: use it on noise, whose spread
    mixing would shrink.
    """
    own = (image.shape[-1], image.shape[-2])
    size = size or own
    if placement.identity and own == size:
        return image.clone()
    scale = placement.scale * min(size) / min(own)  # pixels of the result per pixel of the image
    result = image.float()
    for axis, dim in ((1, -2), (0, -1)):  # nothing is turned, so each axis goes by itself
        places = torch.arange(size[axis], device=image.device, dtype=torch.float64) + 0.5
        sources = (places - placement.target[axis] * size[axis]) / scale + placement.anchor[axis] * own[axis]
        result = _copied(result, dim, sources) if nearest else _mixed(result, dim, sources, min(1.0, scale))
    return result if nearest else result.clamp(min(0.0, float(image.min())), max(0.0, float(image.max())))


def _copied(image: Tensor, dim: int, sources: Tensor) -> Tensor:
    """The pixels of `image` along `dim` that hold the coordinates `sources` (n)."""
    return _picked(image, dim, sources.floor().long(), torch.ones_like(sources))


def _mixed(image: Tensor, dim: int, sources: Tensor, shrunk: float) -> Tensor:
    """The values of `image` along `dim` at the coordinates `sources` (n), which lie 1 / `shrunk` apart."""
    taps = 2 * math.ceil(REACH / shrunk)
    first = (sources - taps / 2 + 0.5).floor().long()
    pixels = first + torch.arange(taps, device=image.device)[:, None]
    weights = _cubic((pixels + 0.5 - sources).abs() * shrunk)
    weights = weights / weights.sum(0)
    parts = (_picked(image, dim, p, w) for p, w in zip(pixels, weights, strict=True))
    result = next(parts)
    for part in parts:
        result += part
    return result


def _cubic(distance: Tensor) -> Tensor:
    """The cubic convolution kernel (Keys 1981, a = -1/2)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < REACH, far, 0.0))


def _picked(image: Tensor, dim: int, pixels: Tensor, weights: Tensor) -> Tensor:
    """The `pixels` (n) of `image` along `dim` times their `weights` (n); 0 outside it."""
    count = image.shape[dim]
    inside = (pixels >= 0) & (pixels < count)
    weights = torch.where(inside, weights, 0.0).float()
    return image.index_select(dim, pixels.clamp(0, count - 1)) * (weights[:, None] if dim == -2 else weights)
