"""DDIM inversion: the sampler's own steps, walked from the photo to the noise (arXiv 2010.02502)."""

import torch
from torch import Tensor

from inversion.problem import InversionProblem, Inverted


def walk_up(problem: InversionProblem) -> Tensor:
    """The latents (steps + 1, C, h, w) from the noise to the problem's latent, by inverted DDIM steps of the
    prompted row alone (guidance scale 1). The problem's watch is not used."""
    z = problem.latent
    pivots = [z]
    with torch.no_grad():
        for i in reversed(range(len(problem.schedule))):
            z = problem.schedule.up(z, problem.predict_prompted(z, i), i)
            pivots.append(z)
            problem.on_step(i)
    return torch.cat(pivots[::-1])


def invert(problem: InversionProblem) -> Inverted:
    """Invert with the empty text as the unprompted row: accurate at guidance scale 1, with a reconstruction error that
    grows with the scale above."""
    unconditional = problem.model.unprompted().repeat(len(problem.schedule))
    return Inverted(walk_up(problem), unconditional, problem.guidance_scale)
