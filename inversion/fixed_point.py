"""Fixed-point inversion (AIDI, Pan et al., arXiv 2309.04907; Meiri et al., arXiv 2312.12540): pivots from which
the sampler's step leads exactly back.

A DDIM step up uses the noise predicted at the less noisy latent, where the way back uses that at the noisier
one. Iterating z = up(predict(z)) closes the gap. With the prompt itself as the unprompted row, guidance of any
scale then retraces the pivots.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import Inverted, silent
from inversion.model import DiffusionModel, Embedding
from inversion.schedule import Schedule, ddim_step

ITERATIONS = 2


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    iterations: int = ITERATIONS,
) -> Inverted:
    """Refined pivots, and the prompt's embedding (float32) at every step."""
    cond = model.embed(prompt)
    pivots = [latent]
    with torch.no_grad():
        for i in reversed(range(len(schedule))):
            pivots.append(_step(model, pivots[-1], cond, schedule, i, iterations))
            on_step(i)
    return Inverted(torch.cat(pivots[::-1]), cond.tokens.repeat(len(schedule), 1, 1), guidance_scale)


def _step(model: DiffusionModel, z: Tensor, cond: Embedding, schedule: Schedule, i: int, iterations: int) -> Tensor:
    """The latent from which step `i` leads to `z`."""
    t, change = schedule.timesteps[i], float("inf")
    noisier = schedule.up(z, model.predict(z, t, [cond]), i)
    for _ in range(iterations):
        refined = backed(schedule, z, noisier, model.predict(noisier, t, [cond]), i)
        before, change = change, float((refined - noisier).square().mean())
        if change >= before:  # it does not contract here: keep what was found
            break
        noisier = refined
    return noisier


def backed(schedule: Schedule, z: Tensor, noisier: Tensor, output: Tensor, i: int) -> Tensor:
    """The latent that step `i` takes to `z` if the noise is what `output` says of `noisier`."""
    _, noise = schedule.parameterisation.split(output, noisier, schedule.alpha_from[i])
    clean = (z - (1 - schedule.alpha_to[i]) ** 0.5 * noise) / schedule.alpha_to[i] ** 0.5
    return ddim_step(clean, noise, schedule.alpha_from[i])
