"""Fixed-point inversion (AIDI, Pan et al., arXiv 2309.04907; Meiri et al., arXiv 2312.12540): pivots from which
the sampler's step leads exactly back.

A step of DDIM inversion uses the noise predicted at the less noisy latent, whereas sampling uses that at the noisier
one. Here the noisier latent is first estimated with a noise extrapolated from the steps before, and then corrected
with the noise predicted there: one network evaluation a step, as in DDIM inversion, and further ones only where the
correction was large. With the prompt itself as the unprompted row, sampling at any guidance scale then retraces the
pivots.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.problem import InversionProblem, Inverted, Watch, unwatched
from inversion.schedule import Schedule

CORRECTIONS = 4  # of a pivot, at most
SETTLED = 2e-3  # of a latent's root mean square: a correction as small as this is the last


def invert(problem: InversionProblem, corrections: int = CORRECTIONS) -> Inverted:
    """Corrected pivots, and the prompt's embedding (float32) at every step; `corrections` of a pivot at most, 1 or
    more."""
    unconditional = problem.prompted.repeat(len(problem.schedule))
    return Inverted(corrected_walk(problem, corrections, problem.watch), unconditional, problem.guidance_scale)


def corrected_walk(problem: InversionProblem, corrections: int, watch: Watch = unwatched, first: int = 0) -> Tensor:
    """The latents (steps + 1 - first, C, h, w) from level `first`, 0 the noise, to the problem's latent, each corrected
    at least once and at most `corrections` times. `watch`, and not the problem's, is shown the prediction for every
    correction."""
    schedule, pivots = problem.schedule, [problem.latent]

    def noise_of(z: Tensor, i: int, alpha_bar: Tensor) -> Tensor:
        return schedule.parameterisation.split(problem.predict_prompted(z, i), z, alpha_bar)[1]

    def look(z: Tensor, i: int) -> Tensor:
        with watch(i):
            return noise_of(z, i, schedule.alpha_from[i])

    with torch.no_grad():
        last = len(schedule) - 1  # has no steps before it to extrapolate from: as in DDIM inversion
        before = noise = noise_of(problem.latent, last, schedule.alpha_to[last])
        for i in reversed(range(first, len(schedule))):
            extrapolated = 2 * noise - before  # linearly from the last two
            before = noise
            found, noise = _corrected(look, pivots[-1], extrapolated, schedule, i, corrections)
            pivots.append(found)
            problem.on_step(i)
    return torch.cat(pivots[::-1])


def _corrected(
    look: Callable[[Tensor, int], Tensor], z: Tensor, noise: Tensor, schedule: Schedule, i: int, corrections: int
) -> tuple[Tensor, Tensor]:
    """The latent from which step `i` leads to `z`, and the noise it was found with, first estimated as `noise`."""
    found = candidate = schedule.up_along(z, noise, i)
    least = torch.tensor(float("inf"))
    for k in range(corrections):
        seen = look(candidate, i)
        further = schedule.up_along(z, seen, i)
        moved = (further - candidate).square().mean().sqrt() / further.square().mean().sqrt()
        if moved >= least:  # the iteration does not contract: keep the best so far
            break
        found, noise, least = further, seen, moved
        if moved <= SETTLED:
            break
        # Later corrections oscillate around the fixed point, and their mean is nearer (ReNoise, arXiv 2403.14602).
        candidate = further if k == 0 else (candidate + further) / 2
    return found, noise
