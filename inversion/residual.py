"""Direct inversion (Ju et al., arXiv 2310.01506): what guided sampling misses of the inversion at every step
is written down, and added back on the way.

Exact at any guidance scale. But a residual belongs to its place: where an edit changes the photo it would
hold the old pixels, so whoever samples fades it there.
"""

import torch

from inversion.ddim import walk_up
from inversion.problem import InversionProblem, Inverted


def invert(problem: InversionProblem) -> Inverted:
    """DDIM inversion, the empty text as the unprompted row, and each step's residual."""
    model, empty = problem.model, problem.model.unprompted()
    pivots = walk_up(problem)
    residuals, z = [], pivots[:1]
    with torch.no_grad():
        for i, t in enumerate(problem.schedule.timesteps):
            with problem.watch(i):
                unprompted, prompted = model.predict(z, t, [empty, problem.prompted]).chunk(2)
            landed = problem.guided_down(z, unprompted, prompted, i)
            residuals.append(pivots[i + 1 : i + 2] - landed)
            z = landed + residuals[-1]  # not the pivot: rounding is part of the way, and would grow along it
            problem.on_step(i)
    unconditional = empty.repeat(len(problem.schedule))
    return Inverted(pivots, unconditional, problem.guidance_scale, torch.cat(residuals))
