"""Direct inversion (Ju et al., arXiv 2310.01506): the difference between guided sampling and the inversion is kept
at every step as a residual, and added back while sampling.

Exact at any guidance scale. But a residual holds the photo's pixels where they are: where an edit changes the photo,
the sampler has to fade it out.
"""

import torch

from inversion.ddim import walk_up
from inversion.problem import InversionProblem, Inverted


def invert(problem: InversionProblem) -> Inverted:
    """DDIM inversion, the empty text's embedding (float32) at every step, and each step's residual."""
    model, empty = problem.model, problem.model.unprompted()
    pivots = walk_up(problem)
    residuals, z = [], pivots[:1]
    with torch.no_grad():
        for i, t in enumerate(problem.schedule.timesteps):
            with problem.watch(i):
                unprompted, prompted = model.predict(z, t, [empty, problem.prompted]).chunk(2)
            landed = problem.guided_down(z, unprompted, prompted, i)
            residuals.append(pivots[i + 1 : i + 2] - landed)
            z = landed + residuals[-1]  # not the pivot: sampling rounds here too, and the difference would grow
            problem.on_step(i)
    unconditional = empty.repeat(len(problem.schedule))
    return Inverted(pivots, unconditional, problem.guidance_scale, torch.cat(residuals))
