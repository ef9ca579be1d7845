"""Negative-prompt inversion (Miyake et al., arXiv 2305.16807): the prompt itself as the unprompted row.

Both rows then predict the same, so the guidance scale has no effect and sampling goes back along the DDIM inversion,
at no more than its cost."""

from inversion.ddim import walk_up
from inversion.problem import InversionProblem, Inverted


def invert(problem: InversionProblem) -> Inverted:
    """DDIM inversion, with the prompt's embedding (float32) at every step."""
    unconditional = problem.prompted.repeat(len(problem.schedule))
    return Inverted(walk_up(problem), unconditional, problem.guidance_scale)
