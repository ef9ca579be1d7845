"""Apply a placement to tensors: photos, masks, attention maps, noise."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.interruption import may_stop
from realedit.geometry.transform import GridWarp, Placement, inverse_matrix

KERNEL_RADIUS = 2.0  # pixels to either side that a value is mixed from, where nothing is shrunk


def warp(image: Tensor, placement: Placement, *, size: tuple[int, int] | None = None, nearest: bool = False) -> Tensor:
    """Move the content of `image` (B, C, H, W) as `placement` says; what leaves the frame is gone
    and what comes from outside is 0.

    Values are mixed by cubic convolution (Keys 1981), which keeps edges sharp, over as many more pixels
    as the content shrinks; the result stays within the image's own range. With a `size` (width, height)
    the result is a frame of that size, in which a scale of 1 keeps things as large against the shorter
    side as they were. `nearest` copies values instead of mixing them: use it on noise, whose spread
    mixing would shrink.
    """
    may_stop()
    own = (image.shape[-1], image.shape[-2])
    size = size or own
    if placement.identity and own == size:
        return image.clone()
    result = (
        image.float()
        if placement.grid_warp is None
        else _grid_warped(image.float(), placement.grid_warp, nearest=nearest)
    )
    limits = None if nearest else (min(0.0, float(image.min())), max(0.0, float(image.max())))
    return _moved(result, placement, size, limits)


def _moved(image: Tensor, placement: Placement, size: tuple[int, int], limits: tuple[float, float] | None) -> Tensor:
    """`image` (B, C, H, W) turned, scaled and shifted, worked out only where anything of it comes to lie: mixed within
    `limits`, or if there are none, from the nearest pixels."""
    may_stop()
    result = image.new_zeros(*image.shape[:2], size[1], size[0])
    rows, columns = (_span(image.ne(0).flatten(0, 1).any(0).any(axis)) for axis in (1, 0))
    own, rows_there = (image.shape[-1], image.shape[-2]), slice(0, 0)
    part = image[..., rows, columns]
    for dim, sources, step in _passes(placement, own, size):
        shrunk = 1.0 if limits is None else min(1.0, 1 / abs(step))
        if dim == -2:
            sources = sources - rows.start if sources.ndim == 1 else sources[:, columns] - rows.start
            there = rows_there = _reached(sources, part.shape[dim], 1, shrunk)
        else:
            sources = sources - columns.start if sources.ndim == 1 else sources[rows_there] - columns.start
            there = columns_there = _reached(sources, part.shape[dim], 0, shrunk)
        places = (sources[there] if dim == -2 or sources.ndim == 1 else sources[:, there]).to(image.device)
        may_stop()
        part = _nearest(part, dim, places) if limits is None else _cubic_mixed(part, dim, places, shrunk)
    result[..., rows_there, columns_there] = part if limits is None else part.clamp(*limits)
    return result


def _span(some: Tensor) -> slice:
    """From the first to the last that is true of some (n); the first alone if none is."""
    where = some.nonzero()[:, 0]
    return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, 1)


def _reached(sources: Tensor, count: int, axis: int, shrunk: float) -> slice:
    """Which lines of the result, along the other `axis` of sources (h, w), read any of `count` pixels."""
    reach = KERNEL_RADIUS / shrunk + 1
    near = (sources > -reach) & (sources < count + reach)
    return _span(near if near.ndim == 1 else near.any(axis))


def _grid_warped(image: Tensor, grid_warp: GridWarp, *, nearest: bool) -> Tensor:
    """`image` (B, C, H, W) reshaped."""
    result = torch.zeros_like(image)
    spans, places = [], []
    for low, high, count in zip(grid_warp.box[:2], grid_warp.box[2:], (image.shape[-1], image.shape[-2]), strict=True):
        centres = (torch.arange(count, dtype=torch.float64) + 0.5) / count
        inside = ((centres >= low) & (centres <= high)).nonzero()[:, 0]
        spans.append(inside)
        places.append(2 * (centres[inside] - low) / (high - low) - 1)
    columns, rows = spans
    if not len(columns) or not len(rows):
        return result
    at = torch.stack(torch.meshgrid(*places, indexing="xy"), -1)
    grid = torch.from_numpy(2 * grid_warp.sources - 1).permute(2, 0, 1)
    sources = F.grid_sample(grid[None], at[None], align_corners=True).permute(0, 2, 3, 1)
    sources = sources.to(image.device, image.dtype).expand(len(image), -1, -1, -1)
    mode = "nearest" if nearest else "bicubic"
    read = F.grid_sample(image, sources, mode=mode, align_corners=False)
    result[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = read
    return result


def _passes(placement: Placement, own: tuple[int, int], size: tuple[int, int]) -> Iterator[tuple[int, Tensor, float]]:
    """The map from the result's pixels back to the image's in two passes (Catmull and Smith 1980), first down the
    columns, then along the rows: the dimension, the coordinate along it that every line is read at, (n), or (h, w)
    where lines differ because something is turned, and how far apart these are."""
    scale = placement.scale * min(size) / min(own)  # pixels of the result per pixel of the image
    (a, b), (c, d) = inverse_matrix(placement.linear)
    b, c = b * own[0] / own[1], c * own[1] / own[0]  # of pixels, not of fractions
    x, y = (torch.arange(n, dtype=torch.float64) + 0.5 - t * n for n, t in zip(size, placement.target, strict=True))
    x0, y0 = (p * n for p, n in zip(placement.anchor, own, strict=True))
    upright = (d - b * c / a) / scale
    rows, columns = y * upright + y0, x * (a / scale) + x0
    if b or c:
        before = torch.arange(own[0], dtype=torch.float64) + 0.5 - x0  # what the first pass leaves: the image's columns
        rows = rows[:, None] + c / a * before
        columns = columns + (y * (b / scale))[:, None]
    yield -2, rows, upright
    yield -1, columns, a / scale


def _nearest(image: Tensor, dim: int, sources: Tensor) -> Tensor:
    """The pixels of `image` along `dim` that hold the coordinates `sources`, (n) or (h, w)."""
    return _gathered(image, dim, sources.floor().long(), torch.ones_like(sources))


def _cubic_mixed(image: Tensor, dim: int, sources: Tensor, shrunk: float) -> Tensor:
    """The values of `image` along `dim` at the coordinates `sources`, (n) or (h, w), which lie 1 / `shrunk` apart."""
    taps = 2 * math.ceil(KERNEL_RADIUS / shrunk)
    first = (sources - taps / 2 + 0.5).floor()
    offset = (first + 0.5 - sources).float()  # small, so that single precision is enough for it
    steps = torch.arange(taps, device=image.device).reshape(-1, *[1] * first.ndim)
    pixels = first.long() + steps
    may_stop()
    weights = _cubic((offset + steps).abs() * shrunk)
    weights = weights / weights.sum(0)
    parts = (_gathered(image, dim, p, w) for p, w in zip(pixels, weights, strict=True))
    result = next(parts)
    for part in parts:
        may_stop()
        result += part
    return result


def _cubic(distance: Tensor) -> Tensor:
    """The cubic convolution kernel (Keys 1981, a = -1/2)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < KERNEL_RADIUS, far, 0.0))


def _gathered(image: Tensor, dim: int, pixels: Tensor, weights: Tensor) -> Tensor:
    """The `pixels` of `image` along `dim`, (n) or (h, w), times their `weights`; 0 outside it."""
    count = image.shape[dim]
    inside = (pixels >= 0) & (pixels < count)
    weights, pixels = torch.where(inside, weights, 0.0), pixels.clamp(0, count - 1)
    if pixels.ndim == 2:
        return image.gather(dim, pixels.expand(*image.shape[:2], *pixels.shape)) * weights
    return image.index_select(dim, pixels) * (weights[:, None] if dim == -2 else weights)
