"""Masks as shapes: dilated and eroded, their depth, soft edges, union and connected parts."""

import math
from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from inversion.interruption import may_stop

EDGE_WIDTH = 0.012  # of the shorter side: what an object's edge takes of it


def union(masks: Sequence[Tensor], like: Tensor) -> Tensor:
    """All masks (1, 1, H, W) in one; empty where there are none."""
    may_stop()
    return reduce(torch.maximum, masks, torch.zeros_like(like[:, :1]))


def dilate(mask: Tensor, fraction: float) -> Tensor:
    """Dilate a mask (1, 1, H, W) by a fraction of the photo's shorter side; negative erodes."""
    radius = fraction * min(mask.shape[-2:])
    inside = mask[0, 0].cpu().numpy() > 0.5
    part = window(inside, math.ceil(abs(radius)) + 1)  # nothing changes elsewhere, and large photos are mostly that
    near, grown = inside[part], np.zeros_like(inside)
    grown[part] = distance_inside(near) > -radius if radius < 0 else distance_inside(~near) <= radius
    return torch.from_numpy(grown).float()[None, None]


def swept(mask: Tensor, by: tuple[float, float]) -> Tensor:
    """All that a mask (1, 1, H, W) covers on its straight way by (x, y), fractions of the photo; what leaves the frame
    is gone."""
    way = np.array((by[1] * mask.shape[-2], by[0] * mask.shape[-1]))  # rows, columns
    covered, doublings = (mask > 0.5).float(), max(1, math.ceil(math.log2(1 + np.abs(way).max())))
    for k in range(doublings):  # each doubles the part of the way that is covered
        covered = torch.maximum(covered, _translated(covered, np.rint(way * 2.0 ** (k - doublings)).astype(int)))
    return torch.maximum(covered, _translated((mask > 0.5).float(), np.rint(way).astype(int)))


def _translated(mask: Tensor, by: np.ndarray) -> Tensor:
    """A mask (1, 1, H, W) so many rows and columns on."""
    result = torch.zeros_like(mask)
    (to_rows, from_rows), (to_columns, from_columns) = (
        (slice(max(0, step), max(0, n + min(0, step))), slice(max(0, -step), max(0, n - max(0, step))))
        for step, n in zip(by, mask.shape[-2:], strict=True)
    )
    result[..., to_rows, to_columns] = mask[..., from_rows, from_columns]
    return result


def interior(mask: Tensor) -> Tensor:
    """A mask (1, 1, H, W) without its rim, whose colours are mixed; all of it where nothing else would be left."""
    inner = dilate(mask, -EDGE_WIDTH)
    return inner if inner.any() else mask


def distance_inside(inside: np.ndarray) -> np.ndarray:
    """How far every pixel of a mask (H, W) is from the nearest one outside it, in pixels; 0 outside."""
    may_stop()
    if inside.all():
        return np.full(inside.shape, np.inf, np.float32)
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def feather(mask: Tensor, fraction: float) -> Tensor:
    """A ramp from 0 at the mask's edge to 1 at a depth of `fraction` of the shorter side inside it."""
    wide = max(1.0, fraction * min(mask.shape[-2:]))
    ramp = distance_inside(mask[0, 0].cpu().numpy() > 0.5) / (wide + 1)  # the photo's own frame is no edge
    return torch.from_numpy(ramp.clip(0, 1)).float()[None, None]


def window(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns of all that a mask (H, W) covers, with so many pixels around it; none if it is empty."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    across, down = (slice(max(0, int(line[0]) - margin), int(line[-1]) + 1 + margin) for line in (columns, rows))
    return down, across


def components(mask: np.ndarray) -> list[np.ndarray]:
    """The connected parts of a mask (H, W)."""
    parts, count = ndimage.label(mask)
    return [parts == n for n in range(1, count + 1)]


def touching(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The connected parts of a mask (H, W) that hold some of a `seed` (H, W)."""
    parts, _ = ndimage.label(mask)
    own = np.unique(parts[seed])
    return np.asarray(np.isin(parts, own[own > 0]))


def largest(mask: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The connected part of a mask (H, W) with the most pixels, or with the most `weight` (H, W); empty if it is."""
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    sums = ndimage.sum(mask if weight is None else weight, parts, range(1, count + 1))
    return np.asarray(parts == 1 + int(np.argmax(sums)))
