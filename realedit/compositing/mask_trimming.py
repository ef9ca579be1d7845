"""Masks put right by the scene without their objects: without the shadows that they took for objects."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import KDTree
from torch import Tensor

from realedit.compositing.shadows import DEEPEST_SHADE
from realedit.morphology import largest, touching

NEAREST_GROUND, FARTHEST_GROUND = (
    0.03,
    0.2,
)  # of the shorter side: between which distances from a mask what lies behind it shows
SURE_SHARE = (
    0.9  # the share of what lies behind whose difference tells what is a difference, and of objects' pixels below
)
SHADE_TOLERANCE = 0.05  # of the range: from any shade of what lies behind, what may be one
LARGEST_TOLERANCE = 0.1  # the same where what lies behind is itself off; off by more, it says nothing
LIGHTEST_SHADOW = 0.95  # of the light behind: what a shadow leaves at most
SHADOWS_FROM = 0.3  # of its height: from where on shadows fall
CORE_DEPTH = 0.03  # of the shorter side: how far inside a mask is sure to be object
INNER_DEPTH = 0.35  # of a mask's greatest depth: how far inside no shadow reaches that was taken for the object


@dataclass(frozen=True, eq=False)
class _Shaded:
    """A photo's colours `seen` (H, W, 3), how far they are from any shade of what lies behind (`off`), and how much
    light that shade has (`light`), both (H, W)."""

    seen: np.ndarray
    off: np.ndarray
    light: np.ndarray

    @classmethod
    def of(cls, photo: Tensor, plate: Tensor) -> "_Shaded":
        seen, behind = photo[0].numpy(), plate[0].numpy()
        light = (seen * behind).sum(0) / np.maximum((behind * behind).sum(0), 1e-3)
        return cls(seen.transpose(1, 2, 0), np.abs(seen - light.clip(DEEPEST_SHADE, 1) * behind).max(0), light)

    def doubt(self, where: np.ndarray) -> float:
        """How far off most of what lies behind is itself, as seen `where` (H, W) nothing else is."""
        return float(np.quantile(self.off[where], SURE_SHARE)) if where.any() else np.inf

    def from_colours(self, of: np.ndarray, where: np.ndarray) -> np.ndarray:
        """How far the colours `where` (H, W) are from the nearest of those `of` other pixels (H, W), in `off`'s
        measure; no distance elsewhere."""
        distance = np.zeros_like(self.off)
        if of.any() and where.any():
            distance[where], _ = KDTree(self.seen[of]).query(self.seen[where], p=np.inf)
        return distance


def without_shadow(photo: Tensor, plate: Tensor, mask: Tensor, others: Tensor) -> Tensor:
    """A mask (1, 1, H, W) without what is a shade of the `plate` (1, 3, H, W), the scene without its object, if the
    object itself is not. `others` (1, 1, H, W) are other objects.

    What lies beside tells how far off the plate is; where it knows too little, the mask stays as it is."""
    inside, taken = mask[0, 0].numpy() > 0.5, others[0, 0].numpy() > 0.5
    side, shaded = min(inside.shape), _Shaded.of(photo, plate)
    away = ndimage.distance_transform_edt(~inside) / side
    beside = (away > NEAREST_GROUND) & (away < FARTHEST_GROUND) & ~taken & (photo != plate).any(1)[0].numpy()
    below = _below(inside)
    alike = max(SHADE_TOLERANCE, shaded.doubt(beside & below))
    if alike < LARGEST_TOLERANCE:
        inside = inside & ~_shadows(inside, shaded, alike, below)
    return torch.from_numpy(largest(inside)).float()[None, None]


def _below(inside: np.ndarray) -> np.ndarray:
    """The rows (H, W) on which an object's shadow may fall."""
    rows = np.flatnonzero(inside.any(1))
    below = np.zeros_like(inside)
    below[round(rows[0] + SHADOWS_FROM * (rows[-1] - rows[0])) :] = True
    return below


def _shadows(inside: np.ndarray, shaded: _Shaded, alike: float, below: np.ndarray) -> np.ndarray:
    """Which pixels at the edge of an object, `below`, are a darker shade of what lies behind (H, W), and more like that
    than like the inside of the object; none if much of that could be one."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    core = depth > min(CORE_DEPTH * min(inside.shape), 0.5 * depth.max())
    if (shaded.off[core] > alike).mean() < SURE_SHARE:
        return np.zeros_like(inside)
    dark = inside & below & (shaded.off < alike) & (shaded.light < LIGHTEST_SHADOW)
    dark &= shaded.from_colours(depth > INNER_DEPTH * depth.max(), dark) > shaded.off
    return np.asarray(dark & touching(dark | ~inside, ~inside))
