"""Holes in a plain ground, such as a studio's backdrop, a wall or the sky: what goes on in them are tones, and whatever
else a network draws there is made up."""

import cv2
import numpy as np
from scipy import ndimage
from torch import Tensor

from realedit.inpainting.fill import SMOOTH_AT, fill_smoothly
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like

SEEN_ALONG = 0.09  # of the root of a hole's area: how wide is what is looked at around it
KNOWN_ALONE = 0.98  # of a small pixel: as much of it lies outside the hole
NEARLY_ALL, MOST = 0.998, 0.9  # shares of what is around a hole: a line meets it in two places alone
SLOPE = 0.02  # of full brightness over a small pixel: no steeper are soft tones
SLOPE_WIDTH = 1.0  # small pixels: over what width they are averaged first
GRAIN_SIDE = 2.5  # pixels: what is coarser than that are tones
TEXTURE = 0.006  # of full brightness: what is finer than soft tones has less on the average, where all is grain


def is_plain(photo: Tensor, hole: Tensor) -> bool:
    """Whether a photo (1, 3, H, W) in [0, 1] has soft tones and grain alone along a `hole` (1, 1, H, W)."""
    return _is_plain(photo, hole, NEARLY_ALL)


def is_mostly_plain(photo: Tensor, hole: Tensor) -> bool:
    """The same but for a little, such as the shadow of what stands in the hole."""
    return _is_plain(photo, hole, MOST)


def fill_plainly(photo: Tensor, hole: Tensor, others: Tensor, seed: int) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) in the tones that go on from its edge, with the grain
    of what is around it; nothing is copied from the `others` (1, 1, H, W).

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    return fill_like(photo, hole, others, seed, Sketch(fill_smoothly(photo, hole), GRAIN_SIDE))


def _is_plain(photo: Tensor, hole: Tensor, share: float) -> bool:
    """Whether this `share` of what is seen along a hole is less steep than edges, and it has no texture. False where
    nothing is seen."""
    missing = hole[0, 0].numpy() > 0.5
    if missing.all() or not missing.any():
        return False
    pixels, known = photo[0].permute(1, 2, 0).numpy(), (~missing).astype(np.float32)
    height, width = missing.shape
    scale = min(1.0, (SMOOTH_AT / float(missing.sum())) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    means = cv2.resize(pixels * known[..., None], size, interpolation=cv2.INTER_AREA)
    means = means / np.maximum(shown, 1e-3)[..., None]
    alone = shown > KNOWN_ALONE
    away = ndimage.distance_transform_edt(alone)
    along = (away > 0) & (away <= SEEN_ALONG * float((~alone).sum()) ** 0.5)
    tones = _averaged(means, alone)
    slopes = np.concatenate([_slopes(tones, along), _slopes(tones.swapaxes(0, 1), along.T)])
    if not len(slopes) or np.quantile(slopes, share) > SLOPE:
        return False
    near = (cv2.resize(along.astype(np.float32), (width, height)) > 0.5) & ~missing
    finer = np.abs(pixels - cv2.resize(tones, (width, height), interpolation=cv2.INTER_LINEAR)).mean(2)
    return bool(near.any()) and float(finer[near].mean()) < TEXTURE


def _averaged(colours: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """The colours (h, w, C) averaged over what lies `alone` (h, w)."""
    weight = alone.astype(np.float32)[..., None]
    total, share = (cv2.GaussianBlur(each, (0, 0), SLOPE_WIDTH) for each in (colours * weight, weight))
    return total / np.maximum(share, 1e-3)[..., None]


def _slopes(colours: np.ndarray, along: np.ndarray) -> np.ndarray:
    """How much each two neighbours down a picture (h, w, C) differ that both lie `along` (h, w)."""
    return np.abs(np.diff(colours, axis=0)).max(2)[along[1:] & along[:-1]]
