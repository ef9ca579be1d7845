"""Did an object arrive whole where it was to go, and was no more changed than that takes? Knows pictures and masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from realedit.evaluation.closeup import at_judged_size, colours, inside

SOLID = 0.98  # opacity from which a pixel is the object's alone
RIM = 3  # pixels at an object's edge that are not compared: they are mixed anew
OWN_COLOUR = 10.0  # units of CIELAB: as far as an object's own pixel may be off
VISIBLE_CHANGE = 6.0  # units of CIELAB, over a few pixels: from here on a change is seen at a glance
PIXEL_WIDTH = 1.5  # pixels: the width over which colours are averaged before they are compared
EFFECT_REACH = 1.0  # of the objects' extent: so far beside them their shadows and reflections may be


@dataclass(frozen=True)
class Arrival:
    """`arrived`: the share of the object's inner pixels that are its own, NaN where it has no inner pixels in the
    frame. `cut`: how much of its extent lies on the photo's frame, as a fraction of the root of its area."""

    arrived: float
    cut: float


def arrival(after: Tensor, pixels: Tensor, opacity: Tensor) -> Arrival:
    """Compare a result (1, 3, H, W) with an object's own `pixels` (1, 3, H, W) as they were to be set down, where their
    `opacity` (1, 1, H, W) covers all."""
    after, pixels, opacity = at_judged_size((after, pixels, opacity))
    solid = np.asarray(opacity[0, 0].cpu().numpy() >= SOLID)
    inner = cv2.erode(solid.astype(np.uint8), np.ones((2 * RIM + 1,) * 2), borderValue=1) > 0
    inner = inner if inner.any() else solid
    off = _difference(colours(after * opacity), colours(pixels * opacity))
    return Arrival(
        arrived=float((off[inner] < OWN_COLOUR).mean()) if inner.any() else float("nan"),
        cut=frame_contact(opacity),
    )


def frame_contact(mask: Tensor) -> float:
    """How many pixels of a mask (1, 1, H, W) lie on the frame, over the root of its area; 0 for an empty one."""
    within = inside(mask)
    on_frame = within[0].sum() + within[-1].sum() + within[:, 0].sum() + within[:, -1].sum()
    return float(on_frame / max(1.0, np.sqrt(within.sum())))


def needless_change(before: Tensor, after: Tensor, needed: Sequence[Tensor]) -> float:
    """The share of the frame that changed visibly from `before` to `after` (1, 3, H, W) farther from all that is
    `needed`, masks (1, 1, H, W), than a shadow reaches."""
    before, after, *masks = at_judged_size((before, after, *needed))
    near = np.zeros(before.shape[-2:], bool)
    for mask in masks:
        within = inside(mask)
        away = cv2.distanceTransform((~within).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        near |= within | (away <= EFFECT_REACH * np.sqrt(within.sum()))
    return float((changed(before, after) & ~near).mean())


def changed(before: Tensor, after: Tensor) -> np.ndarray:
    """Where a change of a picture (1, 3, H, W) is seen, (H, W)."""
    return _difference(colours(before), colours(after)) > VISIBLE_CHANGE


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The distance of two pictures (H, W, 3) in CIELAB, averaged over a few pixels first, (H, W)."""
    return np.linalg.norm(cv2.GaussianBlur(one - other, (0, 0), PIXEL_WIDTH), axis=2)
