"""Where the edge of an object really runs, near that of its mask: a graph cut between its colours and the ground's."""

import cv2
import numpy as np
from scipy.spatial import KDTree

from inversion.interruption import may_stop
from realedit.inpainting.graph_cut import minimum_cut
from realedit.morphology import distance_inside

CUT_AT = 6.0  # pixels that the edge may be off in the picture in which it is looked for
SAMPLES = 32  # of the sure pixels of each side, whose colours a pixel between them is compared with
PIXEL_DEVIATION = 0.04  # standard deviation of a pixel from what explains it: grain, and faults of what explains
MOST_MISFIT = 2.0  # of half the squared deviations: no colour is stronger evidence than that
TRUST = 3.0  # the same that speaks for what the mask says, where it says it from farthest off
SMOOTHNESS = 3.0  # the same for each pixel that the edge is longer, where it follows no edge of the photo
SURE_WIDTH = 3.0  # of how far the edge may be off: how far from it sure pixels are looked at
DEEP_SHARE = 0.5  # of the depth of a thin part: from there on it is sure


def edge_cut(photo: np.ndarray, mask: np.ndarray, reach: float) -> np.ndarray:
    """The mask (H, W) of an object in a photo (H, W, 3) in [0, 1] with its edge where the photo has one, at most so
    many pixels from where it was."""
    scale = min(1.0, CUT_AT / reach)
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = _resized(mask, size, cv2.INTER_AREA)
    found = _resized(
        _cut(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), small, scale * reach), mask.shape[::-1]
    )
    # What is too thin for the small picture is as the mask has it.
    lost = mask & (_resized(distance_inside(~small) <= 1, mask.shape[::-1], cv2.INTER_NEAREST) == 0)
    return found | (mask & (distance_inside(~lost) <= 2 / scale)) if lost.any() else found


def sure_parts(mask: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which pixels (H, W) are sure to be object, and which to be ground, if the edge of a mask (H, W) may be off by
    `reach` pixels; and how far inside it each is, in pixels, negative outside."""
    inner, outer = distance_inside(mask), distance_inside(~mask)
    around = np.ones((2 * int(reach) + 1,) * 2, np.uint8)
    core = inner > np.minimum(reach, DEEP_SHARE * cv2.dilate(np.minimum(inner, 2 * reach), around))
    return core, outer > reach, np.maximum(inner - 0.5, 0) - np.maximum(outer - 0.5, 0)


def nearest_colours(photo: np.ndarray, pool: np.ndarray, where: np.ndarray, count: int) -> np.ndarray:
    """The colours (n, k, 3) of those `count` pixels of a `pool` (H, W), or fewer where it has not so many, that are
    nearest to each of the pixels (n) `where` (H, W)."""
    may_stop()
    near = np.argwhere(pool)
    _, index = KDTree(near).query(np.argwhere(where), k=range(1, min(count, len(near)) + 1))
    return photo[pool][index]


def _cut(photo: np.ndarray, mask: np.ndarray, reach: float) -> np.ndarray:
    """The same without a smaller picture."""
    core, ground, depth = sure_parts(mask, reach)
    unsure, near = ~core & ~ground, np.abs(depth) <= SURE_WIDTH * reach
    pools = ground & near, core & near
    if not (unsure.any() and pools[0].any() and pools[1].any()):
        return mask
    behind, own = (_misfit(photo, pool, unsure) for pool in pools)
    gain = own - behind - TRUST * (depth[unsure] / reach)
    p, q, weights = _edges(photo)
    index, side = np.full(mask.size, -1), core.ravel()
    index[np.flatnonzero(unsure)] = np.arange(len(gain))
    for one, other in ((p, q), (q, p)):  # an edge that leads to a sure pixel
        ends = (index[one] >= 0) & (index[other] < 0)
        np.add.at(gain, index[one[ends]], np.where(side[other[ends]], -weights[ends], weights[ends]))
    both = (index[p] >= 0) & (index[q] >= 0)
    p, q, weights = index[p[both]], index[q[both]], weights[both]
    result = core.copy()
    result[unsure] = minimum_cut(gain, np.append(p, q), np.append(q, p), np.append(weights, weights))
    return result


def _misfit(photo: np.ndarray, pool: np.ndarray, where: np.ndarray) -> np.ndarray:
    """How ill the pixels (n) `where` (H, W) are explained by the nearest of a `pool` (H, W)."""
    off = nearest_colours(photo, pool, where, SAMPLES) - photo[where][:, None]
    return np.minimum((off**2).sum(-1).min(1) / (2 * PIXEL_DEVIATION**2), MOST_MISFIT)


def _edges(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbouring pixels of a photo (h, w, 3), by their numbers (e) and (e), and what an edge between them costs (e),
    less where their colours differ (Boykov and Jolly 2001)."""
    number = np.arange(photo.shape[0] * photo.shape[1]).reshape(photo.shape[:2])
    p = np.append(number[:-1].ravel(), number[:, :-1].ravel())
    q = np.append(number[1:].ravel(), number[:, 1:].ravel())
    colours = photo.reshape(-1, 3)
    change = ((colours[p] - colours[q]) ** 2).sum(-1)
    return p, q, SMOOTHNESS * np.exp(-change / (2 * change.mean() + 1e-6))


def _resized(mask: np.ndarray, size: tuple[int, ...], how: int = cv2.INTER_CUBIC) -> np.ndarray:
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=how) > 0.5)
