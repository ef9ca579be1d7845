"""Is the place that an object left still told from what is around it? Knows a picture and a region."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage
from torch import Tensor

from realedit.evaluation.closeup import close_up, colours, inside

FINE = 1.2  # pixels: the width of the Gaussian below which structure counts as detail
NEIGHBOURHOOD = 5.0  # pixels: the width over which detail is averaged
SEEN_DETAIL = 0.5  # units of lightness: finer detail is not missed, as that of a clear sky
SOFT_SEAM = 4  # pixels to either side of the outline that are not compared: a fill is faded in there
HALF = 1.0  # octaves: below this a fill has less than half the detail of what is beside it
CONTENT_WIDTH = 2.0  # pixels: the width over which colours are averaged before they are compared
AROUND_WIDTH = 4.0  # pixels: the same for what is around, which is continued inwards
OTHER_COLOUR = 20.0  # units of CIELAB: farther apart than the blades of a lawn or the sides of waves
SIDES_AGREE = 15.0  # units of CIELAB: as far as what is left and right of a hole may be apart to be one thing
DISAGREEING = 0.06  # of the lines across the hole: so many may end in two things, such as at a corner
ABREAST = 3  # pixels to either side of a line across the hole that count as on it
LEAST_AREA = 64  # pixels: a smaller place is not told from anything


@dataclass(frozen=True)
class OldPlace:
    """A region against its surroundings, every pixel against the nearest outside.

    `detail`: how fine its structure is, as a ratio (geometric mean; 1 as around). `smooth`: the share of it with less
    than half the detail. `tone`: how far its mean colour is from the mean beside it, in units of CIELAB. `foreign`: how
    far its colours are from those beside them, less half of how far those along its outline are from their mean (both
    root mean squares, in the same unit). `mixed`: the share of its outline that borders on something else than most of
    it: where things meet, what was hidden is a guess; 0 where opposite sides agree, as at a horizon.
    """

    detail: float
    smooth: float
    tone: float
    foreign: float
    mixed: float


def old_place(picture: Tensor, region: Tensor, other: Tensor) -> OldPlace | None:
    """Compare a region (1, 1, H, W) of a picture (1, 3, H, W) with what is around it; `other` (1, 1, H, W) is what
    belongs to neither, such as an object that was set down beside it. None: too little of it, or of what is around, is
    to be seen."""
    if not inside(region).any():
        return None
    seen, hole, taken = close_up(region, picture, region, other)
    lab, within, beside = colours(seen), inside(hole), inside(taken)
    around = ~_grown(within | beside, SOFT_SEAM)
    core = _core(within & ~_grown(beside, SOFT_SEAM))
    if core.sum() < LEAST_AREA or around.sum() < LEAST_AREA:
        return None
    octaves = _octaves(lab[..., 0])
    expected = _continued(np.dstack([octaves, lab]), around)
    finer = (octaves - expected[..., 0])[core]
    off = (cv2.GaussianBlur(lab, (0, 0), CONTENT_WIDTH) - expected[..., 1:])[core]
    edge = _grown(within, SOFT_SEAM + 1) & around
    at = np.argwhere(edge if edge.any() else around)
    along = cv2.GaussianBlur(lab, (0, 0), AROUND_WIDTH)[at[:, 0], at[:, 1]]
    return OldPlace(
        detail=float(2 ** finer.mean()),
        smooth=float((finer < -HALF).mean()),
        tone=float(np.linalg.norm(off.mean(0))),
        foreign=float(np.sqrt((off**2).sum(1).mean()) - np.linalg.norm(along.std(0)) / 2),
        mixed=_mixed(at, along),
    )


def _octaves(lightness: np.ndarray) -> np.ndarray:
    """The local energy of fine structure (H, W), as the binary logarithm of its root mean square."""
    fine = lightness - cv2.GaussianBlur(lightness, (0, 0), FINE)
    return np.log2(np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), NEIGHBOURHOOD)) + SEEN_DETAIL)


def _continued(values: np.ndarray, around: np.ndarray) -> np.ndarray:
    """At every pixel the values (H, W, n) at the nearest pixel of what is `around` (H, W), averaged there."""
    weight = around.astype(np.float32)
    sums, weights = (cv2.GaussianBlur(v, (0, 0), AROUND_WIDTH) for v in (values * weight[..., None], weight))
    rows, columns = ndimage.distance_transform_edt(~around, return_distances=False, return_indices=True)
    return (sums / (weights[..., None] + 1e-6))[rows, columns]


def _mixed(at: np.ndarray, along: np.ndarray) -> float:
    """How much of an outline, at pixels (n, 2) with their colours (n, 3), borders on something else than most of it."""
    if min(_disagreement(at, along), _disagreement(at[:, ::-1], along)) <= DISAGREEING:
        return 0.0
    return float((np.linalg.norm(along - np.median(along, axis=0), axis=1) > OTHER_COLOUR).mean())


def _disagreement(at: np.ndarray, along: np.ndarray) -> float:
    """The share of rows in which an outline's colours (n, 3), at pixels (n, 2), differ from the left to the right half;
    1 where no row has both."""
    left = at[:, 1] <= np.median(at[:, 1])
    apart = []
    for row in np.unique(at[:, 0]):
        near = np.abs(at[:, 0] - row) <= ABREAST
        if (near & left).any() and (near & ~left).any():
            apart.append(np.linalg.norm(along[near & left].mean(0) - along[near & ~left].mean(0)) > SIDES_AGREE)
    return float(np.mean(apart)) if apart else 1.0


def _core(within: np.ndarray) -> np.ndarray:
    """A region (H, W) without its soft rim, or its inner part where it is narrow."""
    depth = cv2.distanceTransform(within.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rim = min(SOFT_SEAM + 2.0, float(np.quantile(depth[within], 0.6))) if within.any() else 0.0
    return within & (depth >= rim)


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
