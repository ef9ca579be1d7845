"""Shifts along a level plane in perspective, such as a table or a floor, found together with its horizon.

What repeats on a plane repeats in its photo too: moved sideways in proportion to how far below the horizon it lies,
and larger where it is nearer.
"""

import torch
from torch import Tensor

from realedit.inpainting.shift_map import HoleContext, Shift
from realedit.inpainting.shift_search import SampledPixels, refine_shifts

TRIED_HORIZONS, HIGHEST_HORIZON = (
    40,
    1.3,
)  # that are tried, closer together near the hole; the highest, in shorter sides above it
STEP_ACROSS, STEP_DOWN = 1.0, 2.0  # pixels at the hole's foot between the shifts that are tried
FARTHEST_DOWN = 0.5  # of the shorter side: how much nearer or farther they go
LEAST_SHIFT = 3.0  # pixels: what is shifted by less matches anyway, and says nothing
LEAST_PLANE_SEEN = 0.15  # of what is known of the plane: what a shift must show again
HORIZON_POINTS, SHIFT_POINTS = 1000, 300  # pixels that are compared to find the horizon, and shifts
KEPT_SHIFTS, SHIFT_SPACING = 24, 6.0  # shifts, and how many pixels they are apart at the hole's foot


def planar_shifts(scene: HoleContext) -> list[Shift]:
    """The shifts along the plane of the hole of a `scene` that match best, as all that is known below its top says."""
    rows = scene.hole.nonzero()[:, 0]
    top, foot = float(rows.min()), float(rows.max()) + 1
    plane = scene.known.clone()
    plane[: int(top)] = 0
    horizon = _horizon(scene, plane, top, foot) if plane.any() else None
    if horizon is None:
        return []
    most = FARTHEST_DOWN * scene.side
    shifts, moved = _laid(scene, horizon, foot, torch.arange(-most, most + 1, STEP_DOWN))
    misfits = SampledPixels.of(scene, plane, SHIFT_POINTS).misfit(shifts, LEAST_PLANE_SEEN)
    picked = [Shift.of(numbers) for numbers in shifts[_distinct(misfits, moved)].tolist()]
    unit = 1 / (foot - horizon)
    return refine_shifts(scene, plane, picked, (0.0, 0.0, STEP_ACROSS * unit, STEP_DOWN * unit**2))


def _horizon(scene: HoleContext, plane: Tensor, top: float, foot: float) -> float | None:
    """The row of the horizon with which the `plane` (H, W) repeats best sideways; None if nothing can be compared."""
    match, tried = SampledPixels.of(scene, plane, HORIZON_POINTS), []
    for k in range(TRIED_HORIZONS):
        horizon = top - 2 - HIGHEST_HORIZON * scene.side * (k / TRIED_HORIZONS) ** 1.5
        shifts, _ = _laid(scene, horizon, foot, torch.zeros(1))
        tried.append((float(match.misfit(shifts, LEAST_PLANE_SEEN).min()), horizon))
    least, horizon = min(tried)
    return horizon if least < torch.inf else None


def _laid(scene: HoleContext, horizon: float, foot: float, down: Tensor) -> tuple[Tensor, Tensor]:
    """Shifts (n, 6) that move the row of the hole's `foot` across by all distances that the frame has, and `down` (m)
    by pixels; and these two distances (n, 2)."""
    width, below = scene.hole.shape[1], foot - horizon
    across, down = torch.meshgrid(
        torch.arange(-width, width + 1, STEP_ACROSS), down[down > -0.8 * below], indexing="ij"
    )
    moved = torch.stack((across.flatten(), down.flatten()), 1)
    moved = moved[moved.abs().sum(1) > LEAST_SHIFT]
    shifts = torch.zeros(len(moved), 6)
    shifts[:, 2] = moved[:, 0] / below
    shifts[:, 3] = 1 / (below + moved[:, 1]) - 1 / below
    shifts[:, 4], shifts[:, 5] = horizon, width / 2
    return shifts, moved


def _distinct(misfits: Tensor, moved: Tensor) -> list[int]:
    """The shifts that match best of which no two move the hole's foot to about the same place."""
    picked: list[int] = []
    for k in misfits.argsort().tolist():
        if misfits[k] == torch.inf or len(picked) == KEPT_SHIFTS:
            break
        if not picked or (moved[picked] - moved[k]).abs().sum(1).min() > SHIFT_SPACING:
            picked.append(k)
    return picked
