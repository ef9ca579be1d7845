"""The matte of an object: how much of every edge pixel is object, and of what colour, by samples of the colours on
both sides (Wang and Cohen 2007, Optimized Color Sampling for Robust Matting)."""

import math

import numpy as np
import torch
from torch import Tensor

from inversion.interruption import may_stop
from realedit.compositing.edge_cut import PIXEL_DEVIATION, edge_cut, nearest_colours, sure_parts
from realedit.morphology import window

LEAST_REACH, MASK_REACH = 1.5, 0.006  # how far a mask's edge may be off: pixels, or of the shorter side if more
LEAST_HALF_EDGE, HALF_EDGE_WIDTH = 2.0, 0.0015  # half the width of an edge that is much blurred: the same
EXPECTED_WIDTH = 0.5  # of that: half the width of most edges
AROUND_EDGE = 4.0  # of how far the edge may be off: how much of the photo beside the mask is looked at
MIXED_FROM = 8  # of the sure pixels of each side nearby, any two of which may be mixed in an edge pixel
PIXELS_AT_ONCE = 8192
OPACITY_DEVIATION = 0.5  # standard deviation of the opacity from what the edge's course says of it


def estimate_matte(photo: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (1, 3, H, W) and opacity (1, 1, H, W) of an object, given the photo (1, 3, H, W) and its mask
    (1, 1, H, W).

    The edge is first moved to where the photo has one. Along it a pixel is a mixture of one of the object's colours
    nearby and one of the ground's: of those that make pixel and edge together most likely.
    """
    side = min(mask.shape[-2:])
    reach, width = max(LEAST_REACH, MASK_REACH * side), max(LEAST_HALF_EDGE, HALF_EDGE_WIDTH * side)
    colour, alpha = photo.clone(), (mask > 0.5).float()
    inside = alpha[0, 0].numpy() > 0
    if inside.any() and not inside.all():
        part = window(inside, math.ceil(AROUND_EDGE * reach))
        own = np.ascontiguousarray(photo[0].permute(1, 2, 0).numpy()[part])
        found, share = _matte_within(own, edge_cut(own, inside[part], reach), width)
        colour[0][:, *part] = torch.from_numpy(found).permute(2, 0, 1)
        alpha[0, 0][part] = torch.from_numpy(share)
    return colour, alpha


def _matte_within(photo: np.ndarray, mask: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The same (h, w, 3) and (h, w) of a photo (h, w, 3) whose mask (h, w) ends in the middle of the object's edge;
    `width` is half of that, in pixels."""
    core, ground, depth = sure_parts(mask, width)
    edge, near = ~core & ~ground, np.abs(depth) <= 2 * width + 1
    colour, alpha = photo.copy(), mask.astype(np.float32)
    if edge.any() and (core & near).any() and (ground & near).any():
        objects, grounds = (nearest_colours(photo, side & near, edge, MIXED_FROM) for side in (core, ground))
        expected = (0.5 + depth[edge] / (2 * EXPECTED_WIDTH * width)).clip(0, 1)
        for first in range(0, len(expected), PIXELS_AT_ONCE):
            may_stop()
            some = slice(first, first + PIXELS_AT_ONCE)
            rows, columns = (line[some] for line in np.nonzero(edge))
            own = photo[rows, columns]
            colour[rows, columns], alpha[rows, columns] = _unmixed(own, objects[some], grounds[some], expected[some])
    return colour, alpha


def _unmixed(own: np.ndarray, objects: np.ndarray, grounds: np.ndarray, expected: np.ndarray) -> tuple:
    """Colours (n, 3) and shares (n) of the object in pixels of the colours `own` (n, 3), given the colours near each
    of the `objects` (n, k, 3) and of the ground (n, l, 3), and the shares that are `expected` (n)."""
    behind = grounds[:, None]
    contrast, change = objects[:, :, None] - behind, own[:, None, None] - behind  # (n, k, l, 3) and (n, 1, l, 3)
    expected = expected[:, None, None]
    prior = (PIXEL_DEVIATION / OPACITY_DEVIATION) ** 2
    share = ((contrast * change).sum(-1) + prior * expected) / ((contrast**2).sum(-1) + prior)
    share = share.clip(0, 1)
    misfit = ((change - share[..., None] * contrast) ** 2).sum(-1) / PIXEL_DEVIATION**2
    misfit += ((share - expected) / OPACITY_DEVIATION) ** 2
    pixel = np.arange(len(own))
    one, other = np.unravel_index(misfit.reshape(len(own), -1).argmin(1), misfit.shape[1:])
    share, ground = share[pixel, one, other][:, None], grounds[pixel, other]
    # What the pixel itself says of the object's colour keeps its detail, where it says enough.
    exact = ground + (own - ground) / np.maximum(share, 0.5)
    return np.where(share >= 0.5, exact.clip(0, 1), objects[pixel, one]), share[:, 0]
