"""DDIM inversion: the sampler's own steps, walked from the photo to the noise (arXiv 2010.02502)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from inversion.text import Embedding


def silent(step: int) -> None:
    """Report progress to nobody."""


Watch = Callable[[int], AbstractContextManager[None]]
"""Called with a step: what the last row shows inside the block is kept, see `inversion.record`."""


def unwatched(step: int) -> AbstractContextManager[None]:
    """Keep nothing."""
    return nullcontext()


@dataclass(frozen=True, eq=False)
class Inverted:
    """A photo in the model's noise.

    `pivots` (steps + 1, C, h, w): the latents on the way, `pivots[0]` the noise and `pivots[-1]`
    the photo's own latent. `unconditional`: the text of the unprompted row at every
    step. Sampling from `pivots[0]` with them at `guidance_scale` gives the photo back, if after each step
    its `residuals` (steps, C, h, w) are added; None are zero.
    """

    pivots: Tensor
    unconditional: Embedding
    guidance_scale: float
    residuals: Tensor | None = None


def walk_up(
    model: DiffusionModel,
    latent: Tensor,
    prompt: Embedding,
    schedule: Schedule,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """The latents (steps + 1, C, h, w) from the noise to `latent`, by inverted DDIM steps of the
    prompted row alone (guidance scale 1)."""
    z = latent
    pivots = [z]
    with torch.no_grad():
        for i in reversed(range(len(schedule))):
            z = schedule.up(z, model.predict(z, schedule.timesteps[i], [prompt]), i)
            pivots.append(z)
            on_step(i)
    return torch.cat(pivots[::-1])


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    watch: Watch = unwatched,
) -> Inverted:
    """Invert with the empty text as the unprompted row: exact enough at guidance 1, adrift above."""
    pivots = walk_up(model, latent, model.embed(prompt), schedule, on_step)
    return Inverted(pivots, model.unprompted().repeat(len(schedule)), guidance_scale)
