"""Is a filled hole still told from its surroundings? Two measures that need neither the truth nor a model."""

import math

import numpy as np
import torch
from torch import Tensor

from realedit.images import fine_detail
from realedit.morphology import distance_inside

QUIET = 1 / 255  # one level of 8 bits: what is fainter than this is not seen
FILTER_REACH = 4.3  # pixels: farther from the hole's edge than this, the filter sees one side of it only


def detail(image: Tensor, hole: Tensor, others: Tensor | None = None) -> float:
    """The fine detail in a hole over that of the ring around it: 1 is right, less is blurred, more is noise.

    Detail is the energy of an `image` (1, 3, H, W) in [0, 1] that `fine_detail` tells. Of its pixels a region has the
    geometric mean, so that one strong line in the ring does not outweigh all of it; each counts a squared level of 8
    bits more than it has, so that flat is like flat. `hole` (1, 1, H, W) is told at 0.5.
    The ring is half as wide as the hole is deep at its deepest, without the `others` (1, 1, H, W). Pixels so near the
    edge that the filter sees both sides count for neither. NaN where hole or ring have no others."""
    ring, depth = _ring(hole, others)
    energy = torch.from_numpy(fine_detail(image[0].permute(1, 2, 0).numpy())) + QUIET**2
    inside = torch.from_numpy(depth > FILTER_REACH)
    if not inside.any() or not ring.any():
        return math.nan
    return math.exp(float(energy[inside].log().mean() - energy[ring].log().mean()))


def seam(image: Tensor, hole: Tensor, others: Tensor | None = None) -> float:
    """How visible the edge of a hole is: 1 as any other place around it, more is an edge that is seen.

    The mean absolute difference of neighbouring pixels, one of them in the `hole` (1, 1, H, W) and one outside, over
    that of neighbouring pixels in the ring of `detail`, each and one level of 8 bits; channels of the `image`
    (1, 3, H, W) in [0, 1] averaged. NaN where no pixels lie in the ring or on both sides of an edge."""
    ring, depth = _ring(hole, others)
    inside, pixels = torch.from_numpy(depth > 0), image[0]
    across, around = [], []
    for axis in (0, 1):
        length = inside.shape[axis] - 1
        steps = (pixels.narrow(axis + 1, 1, length) - pixels.narrow(axis + 1, 0, length)).abs().mean(0)
        first, second = inside.narrow(axis, 0, length), inside.narrow(axis, 1, length)
        across.append(steps[first != second])
        around.append(steps[ring.narrow(axis, 0, length) & ring.narrow(axis, 1, length)])
    edge, surroundings = torch.cat(across), torch.cat(around)
    if len(edge) == 0 or len(surroundings) == 0:
        return math.nan
    return float((edge.mean() + QUIET) / (surroundings.mean() + QUIET))


def _ring(hole: Tensor, others: Tensor | None) -> tuple[Tensor, np.ndarray]:
    """The ring (H, W) around a hole, and how deep in the hole its pixels are (H, W), in pixels."""
    inside = hole[0, 0].cpu().numpy() > 0.5
    depth = distance_inside(inside)
    if not inside.any() or inside.all():
        return torch.zeros(inside.shape, dtype=torch.bool), depth
    away = distance_inside(~inside)
    ring = (away > FILTER_REACH) & (away <= FILTER_REACH + max(depth.max() / 2, FILTER_REACH))
    if others is not None:
        ring &= others[0, 0].cpu().numpy() <= 0.5
    return torch.from_numpy(ring), depth
