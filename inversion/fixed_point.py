"""Fixed-point inversion (AIDI, Pan et al., arXiv 2309.04907; Meiri et al., arXiv 2312.12540): pivots from which
the sampler's step leads exactly back.

A DDIM step up uses the noise predicted at the less noisy latent, where the way back uses that at the noisier
one. Iterating z = up(predict(z)) closes the gap. With the prompt itself as the unprompted row, guidance of any
scale then retraces the pivots.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import Inverted, Watch, silent, unwatched
from inversion.model import DiffusionModel, Embedding
from inversion.schedule import Schedule, ddim_step

ITERATIONS = 1


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    watch: Watch = unwatched,
    iterations: int = ITERATIONS,
) -> Inverted:
    """Refined pivots, and the prompt's embedding (float32) at every step."""
    cond = model.embed(prompt)
    pivots = refined_walk(model, latent, cond, schedule, iterations, on_step)
    return Inverted(pivots, cond.tokens.repeat(len(schedule), 1, 1), guidance_scale)


def refined_walk(
    model: DiffusionModel,
    latent: Tensor,
    prompt: Embedding,
    schedule: Schedule,
    iterations: int,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """The latents (steps + 1, C, h, w) from the noise to `latent`, as `inversion.ddim.walk_up` gives them, each
    refined so many times; without any they are the same."""
    pivots = [latent]
    with torch.no_grad():
        for i in reversed(range(len(schedule))):
            pivots.append(_refined(model, pivots[-1], prompt, schedule, i, iterations))
            on_step(i)
    return torch.cat(pivots[::-1])


def _refined(
    model: DiffusionModel, z: Tensor, prompt: Embedding, schedule: Schedule, i: int, iterations: int
) -> Tensor:
    """The latent from which step `i` leads to `z`."""
    t = schedule.timesteps[i]
    found = candidate = schedule.up(z, model.predict(z, t, [prompt]), i)
    least = torch.tensor(float("inf"))
    for k in range(iterations):
        output = model.predict(candidate, t, [prompt])
        missed = (schedule.down(candidate, output, i) - z).square().mean()
        if missed >= least:  # it does not contract here: keep the best that is known
            return found
        further = backed(schedule, z, candidate, output, i)
        found, least = candidate, missed
        # Later iterations swing around the fixed point, and halfway lies nearer (ReNoise, arXiv 2403.14602).
        candidate = further if k == 0 else (candidate + further) / 2
    return candidate


def backed(schedule: Schedule, z: Tensor, noisier: Tensor, output: Tensor, i: int) -> Tensor:
    """The latent that step `i` takes to `z` if the noise is what `output` says of `noisier`."""
    _, noise = schedule.parameterisation.split(output, noisier, schedule.alpha_from[i])
    clean = (z - (1 - schedule.alpha_to[i]) ** 0.5 * noise) / schedule.alpha_to[i] ** 0.5
    return ddim_step(clean, noise, schedule.alpha_from[i])
