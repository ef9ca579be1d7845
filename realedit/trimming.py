"""Masks put right by the scene without their objects: tops that they missed, and shadows that they took for objects."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.shadows import DEEPEST

# Of the shorter side: how far from its mask an object's top may be, and from where on what lies behind shows.
NEAR, BESIDE = 0.2, 0.03
SURE = 0.9  # the share of what lies behind whose difference tells what is a difference, and of objects' pixels below
UNLIKE, ALIKE = 0.08, 0.05  # of the range: from any shade of what lies behind, what is no part of it, and what may be
MOST_UNLIKE, MOST_ALIKE = 0.2, 0.1  # the same where what lies behind is itself off; off by more, it says nothing
DARKER = 0.95  # of the light behind: what a shadow leaves at most
TOP, FOOT = 0.3, 0.3  # of its height: what begins in an object's top, from where on shadows fall
BETWEEN = 0.85  # of a top's pixels lie straight above its object
FEWEST, MOST = 0.02, 0.5  # of the object's pixels: smaller tops are grain, larger ones another thing
CORE = 0.03  # of the shorter side: how far inside a mask is sure to be object
SMOOTH = 1  # pixels: finer parts are edges that are a little off


@dataclass(frozen=True, eq=False)
class _Shaded:
    """How far a photo is from any shade of what lies behind (`off`), and how much light that shade has (`light`), both
    (H, W)."""

    off: np.ndarray
    light: np.ndarray

    @classmethod
    def of(cls, photo: Tensor, plate: Tensor) -> "_Shaded":
        seen, behind = photo[0].numpy(), plate[0].numpy()
        light = (seen * behind).sum(0) / np.maximum((behind * behind).sum(0), 1e-3)
        return cls(np.abs(seen - light.clip(DEEPEST, 1) * behind).max(0), light)

    def doubt(self, where: np.ndarray) -> float:
        """How far off most of what lies behind is itself, as seen `where` (H, W) nothing else is."""
        return float(np.quantile(self.off[where], SURE)) if where.any() else np.inf


def trimmed(photo: Tensor, plate: Tensor, mask: Tensor, others: Tensor) -> Tensor:
    """A mask (1, 1, H, W) with what stands on top of its object and is no shade of the `plate` (1, 3, H, W), the scene
    without it, and without what is one, if the object itself is not. `others` (1, 1, H, W) are other objects.

    What lies beside tells how far off the plate is; where it knows too little, the mask stays as it is."""
    inside, taken = mask[0, 0].numpy() > 0.5, others[0, 0].numpy() > 0.5
    side, shaded = min(inside.shape), _Shaded.of(photo, plate)
    away = ndimage.distance_transform_edt(~inside) / side
    beside = (away > BESIDE) & (away < NEAR) & ~taken & (photo != plate).any(1)[0].numpy()
    above = _rows(inside, 0, TOP)
    unlike = max(UNLIKE, shaded.doubt(beside & above))
    if unlike < MOST_UNLIKE:
        free = (away < NEAR) & ~ndimage.binary_dilation(taken, iterations=2 * SMOOTH)
        inside = inside | _tops(inside, free & (shaded.off > unlike), above)
    below = _rows(inside, FOOT, 1)
    alike = max(ALIKE, shaded.doubt(beside & below))
    if alike < MOST_ALIKE:
        inside = inside & ~_shadows(inside, shaded, alike, below)
    return torch.from_numpy(_largest(inside)).float()[None, None]


def _rows(inside: np.ndarray, first: float, last: float) -> np.ndarray:
    """The rows (H, W) between two shares of an object's height; 0 and 1 mean all above and all below."""
    rows = np.flatnonzero(inside.any(1))
    top, bottom = (round(rows[0] + share * (rows[-1] - rows[0])) for share in (first, last))
    within = np.zeros_like(inside)
    within[0 if first == 0 else top : len(inside) if last == 1 else bottom] = True
    return within


def _tops(inside: np.ndarray, unlike: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Which parts of what is `unlike` the scene behind stand on top of an object, `above`, no wider than it is."""
    above = above & ndimage.binary_dilation(inside.any(0), iterations=SMOOTH)
    parts, count = ndimage.label(ndimage.binary_opening(unlike | inside, iterations=SMOOTH) & ~inside)
    touching = ndimage.binary_dilation(inside, iterations=2 * SMOOTH)
    found = np.zeros_like(inside)
    for number in range(1, count + 1):
        part = parts == number
        large = FEWEST * inside.sum() <= part.sum() <= MOST * inside.sum()
        if large and (part & touching).any() and (part & above).sum() >= BETWEEN * part.sum():
            found |= part
    if not found.any():
        return found
    # The seam between both goes with them.
    joined = ndimage.binary_closing(np.pad(inside | found, 2 * SMOOTH), iterations=2 * SMOOTH)
    inner = slice(2 * SMOOTH, -2 * SMOOTH)
    return np.asarray(ndimage.binary_fill_holes(joined[inner, inner]) & ~inside & (above | found))


def _shadows(inside: np.ndarray, shaded: _Shaded, alike: float, below: np.ndarray) -> np.ndarray:
    """Which pixels at the edge of an object, `below`, are a darker shade of what lies behind (H, W); none if much of
    the object could be one."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    core = depth > min(CORE * min(inside.shape), 0.5 * depth.max())
    if (shaded.off[core] > alike).mean() < SURE:
        return np.zeros_like(inside)
    dark = inside & below & (shaded.off < alike) & (shaded.light < DARKER)
    parts, _ = ndimage.label(dark | ~inside)
    outside = np.unique(parts[~inside])
    return np.asarray(dark & np.isin(parts, outside[outside > 0]))


def _largest(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    sizes = ndimage.sum(mask, parts, range(1, count + 1))
    return np.asarray(parts == 1 + int(np.argmax(sizes)))
