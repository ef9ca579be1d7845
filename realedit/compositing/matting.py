"""The matte of an object against its background: how much of every edge pixel is object, and of what colour."""

import math

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from inversion.interruption import may_stop
from realedit.morphology import distance_inside, window

LEAST_HALF_EDGE, HALF_EDGE_WIDTH = (
    1.5,
    0.006,
)  # half the width of an edge: pixels, or of the shorter side if that is more
COLOUR_NEIGHBOURS = 16  # of the object's sure pixels, whose colours an edge pixel may have
PIXEL_DEVIATION = 0.04  # standard deviation of a pixel from what explains it: grain, and faults of the background
OPACITY_DEVIATION = 0.5  # standard deviation of the opacity from what the mask says of it
LARGEST_MISFIT = 16.0  # of the squared deviations: what nothing explains better is left as the mask has it


def estimate_matte(photo: Tensor, background: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (1, 3, H, W) and opacity (1, 1, H, W) of an object, given the photo (1, 3, H, W), what lies
    behind it, and its mask (1, 1, H, W).

    Along the mask's edge a pixel is taken as a mixture of the background and one of the object's colours
    nearby: that colour and that share which make pixel and mask together most likely.
    """
    width = max(LEAST_HALF_EDGE, HALF_EDGE_WIDTH * min(mask.shape[-2:]))
    colour, alpha = photo.clone(), (mask > 0.5).float()
    if alpha.any():
        rows, columns = window(alpha[0, 0].numpy() > 0, math.ceil(width) + 1)
        own, behind, inside = (picture[..., rows, columns] for picture in (photo, background, alpha))
        colour[..., rows, columns], alpha[..., rows, columns] = _matte_within(own, behind, inside, width)
    return colour, alpha


def _matte_within(photo: Tensor, background: Tensor, mask: Tensor, width: float) -> tuple[Tensor, Tensor]:
    """The same of a part of a photo in which all of the mask lies; `width` is half of an edge's, in pixels."""
    inside = mask[0, 0].numpy() > 0.5
    inner, outer = distance_inside(inside), distance_inside(~inside)
    core = inner > min(width, 0.5 * inner.max())
    edge = (outer <= width) & (inner <= width) & ~core
    colour, alpha = photo.clone(), mask.clone()
    if edge.any() and core.any():
        expected = 0.5 + (np.maximum(inner - 0.5, 0) - np.maximum(outer - 0.5, 0)) / (2 * width)
        may_stop()
        _, nearest = KDTree(np.argwhere(core)).query(np.argwhere(edge), k=range(1, COLOUR_NEIGHBOURS + 1))
        own, behind = _pixels(photo, edge), _pixels(background, edge)
        known = np.concatenate((_pixels(photo, core), np.full((1, 3), np.inf)))  # where there are not so many
        may_stop()
        found, share = _unmixed(own, behind, known[nearest], expected[edge].clip(0, 1))
        may_stop()
        where = torch.from_numpy(edge)
        colour[0][:, where] = torch.from_numpy(found.T).float()
        alpha[0, 0, where] = torch.from_numpy(share).float()
    return colour, alpha


def _pixels(picture: Tensor, where: np.ndarray) -> np.ndarray:
    """The colours (n, 3) of a picture (1, 3, H, W) where a mask (H, W) holds."""
    return picture[0].permute(1, 2, 0).numpy()[where]


def _unmixed(own: np.ndarray, behind: np.ndarray, colours: np.ndarray, expected: np.ndarray) -> tuple:
    """Colours (n, 3) and shares (n) of the object in pixels of the colours `own` (n, 3), given what lies
    `behind` (n, 3), the object's `colours` near each (n, k, 3), and the shares that are `expected` (n)."""
    missing = ~np.isfinite(colours).all(-1)
    colours = np.where(missing[..., None], 0, colours)
    contrast, change = colours - behind[:, None], (own - behind)[:, None]
    prior = (PIXEL_DEVIATION / OPACITY_DEVIATION) ** 2
    share = ((contrast * change).sum(-1) + prior * expected[:, None]) / ((contrast**2).sum(-1) + prior)
    share = share.clip(0, 1)
    misfit = ((change - share[..., None] * contrast) ** 2).sum(-1) / PIXEL_DEVIATION**2
    misfit += ((share - expected[:, None]) / OPACITY_DEVIATION) ** 2
    misfit[missing] = np.inf
    rows, best = np.arange(len(own)), misfit.argmin(1)
    share = share[rows, best]
    # What the pixel itself says of the object's colour keeps its detail, where it says enough.
    exact = behind + change[:, 0] / np.maximum(share, 0.5)[:, None]
    colour = np.where(share[:, None] >= 0.5, exact.clip(0, 1), colours[rows, best])
    odd = misfit[rows, best] > LARGEST_MISFIT
    return np.where(odd[:, None], own, colour), np.where(odd, expected > 0.5, share)
