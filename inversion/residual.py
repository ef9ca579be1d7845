"""Direct inversion (Ju et al., arXiv 2310.01506): what guided sampling misses of the inversion at every step
is written down, and added back on the way.

Exact at any guidance scale. But a residual belongs to its place: where an edit changes the photo it would
hold the old pixels, so whoever samples fades it there.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import Inverted, Watch, silent, unwatched, walk_up
from inversion.model import DiffusionModel
from inversion.schedule import Schedule


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    watch: Watch = unwatched,
) -> Inverted:
    """DDIM inversion, the empty text as the unprompted row, and each step's residual."""
    cond, empty = model.embed(prompt), model.unprompted()
    pivots = walk_up(model, latent, cond, schedule, on_step)
    residuals, z = [], pivots[:1]
    with torch.no_grad():
        for i, t in enumerate(schedule.timesteps):
            with watch(i):
                unprompted, prompted = model.predict(z, t, [empty, cond]).chunk(2)
            landed = schedule.down(z, unprompted + guidance_scale * (prompted - unprompted), i)
            residuals.append(pivots[i + 1 : i + 2] - landed)
            z = landed + residuals[-1]  # not the pivot: rounding is part of the way, and would grow along it
            on_step(i)
    return Inverted(pivots, empty.repeat(len(schedule)), guidance_scale, torch.cat(residuals))
