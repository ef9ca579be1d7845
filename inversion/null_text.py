"""Null-text optimisation (Mokady et al., arXiv 2211.09794): a text for the unprompted row at every
step, so that guided sampling stays on the path of the DDIM inversion.

Against the published code: optimisation starts from the prompt's own embedding, which as unprompted
row already leads back along the inversion (arXiv 2305.16807); weights are frozen, the prompted row is
predicted once a step, the loss is checked before a gradient step is paid for, the prediction that
passed the check is the one that is walked on, and the tolerance does not grow a hundredfold towards
the photo.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.ddim import Inverted, silent, walk_up
from inversion.model import DiffusionModel, Embedding
from inversion.schedule import Schedule


@dataclass(frozen=True)
class NullTextSettings:
    """`inner_steps`: gradient steps at most, at each step. `rate`: Adam's, falling to half of it
    towards the photo. `tolerance`: mean squared latent error that is good enough, growing linearly
    from the first value at the noise to the second at the photo."""

    inner_steps: int = 3
    rate: float = 3e-2
    tolerance: tuple[float, float] = (1e-3, 1e-3)


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    settings: NullTextSettings = NullTextSettings(),
) -> Inverted:
    """DDIM inversion, then one optimised unprompted embedding (float32) per step."""
    cond = model.embed(prompt)
    pivots = walk_up(model, latent, cond, schedule, on_step)
    steps = len(schedule)
    null = cond  # so that the rows agree at first and little is left to be optimised
    found = []
    z = pivots[:1]
    for i in range(steps):
        done = i / max(1, steps - 1)
        first, last = settings.tolerance
        null, z = _optimise(
            model,
            z,
            null,
            cond,
            schedule,
            i,
            guidance_scale,
            pivots[i + 1 : i + 2],
            rate=settings.rate * (1 - 0.5 * done),
            tolerance=first + (last - first) * done,
            inner_steps=settings.inner_steps,
        )
        found.append(null.tokens)
        on_step(i)
    return Inverted(pivots, torch.cat(found), guidance_scale)


def _optimise(
    model: DiffusionModel,
    z: Tensor,
    null: Embedding,
    cond: Embedding,
    schedule: Schedule,
    i: int,
    guidance_scale: float,
    pivot: Tensor,
    *,
    rate: float,
    tolerance: float,
    inner_steps: int,
) -> tuple[Embedding, Tensor]:
    """The embedding whose guided step from `z` lands on `pivot`, and where it lands."""
    t = schedule.timesteps[i]
    with torch.no_grad():
        prompted = model.predict(z, t, [cond])
    tokens = null.tokens.clone().requires_grad_()
    optimiser = torch.optim.Adam([tokens], lr=rate)
    for spent in range(inner_steps + 1):
        with torch.set_grad_enabled(spent < inner_steps), torch.autocast(z.device.type, enabled=False):
            unprompted = model.predict(z, t, [null.with_tokens(tokens)])
            landed = schedule.down(z, unprompted + guidance_scale * (prompted - unprompted), i)
            loss = F.mse_loss(landed, pivot)
        if spent == inner_steps or loss <= tolerance:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return null.with_tokens(tokens.detach()), landed.detach()
