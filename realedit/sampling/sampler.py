"""The guided sampling loop, and nothing else."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from inversion.errors import RealEditError
from inversion.model import DiffusionModel
from inversion.problem import silent
from inversion.schedule import Schedule
from realedit.sampling.guidance import GuidanceRule
from realedit.sampling.prediction import Conditioning, Controller, Step
from realedit.sampling.session import Preview

LatentCallback = Callable[[Tensor, int], Tensor]
"""(latent, its level) -> latent; level 0 is the noise, level `steps` the photo."""


def sample(
    model: DiffusionModel,
    start: Tensor,
    schedule: Schedule,
    conditioning: Conditioning,
    *,
    first: int = 0,
    guidance: GuidanceRule | None = None,
    controllers: Sequence[Controller] = (),
    callbacks: Sequence[LatentCallback] = (),
    preview: Preview | None = None,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """Walk from `start` (1, C, h, w), the noise or the latent before step `first`, to a clean latent.

    Without guidance, controllers and edits this is diffusers' DDIM pipeline, to the last bit in float32.

    Raises:
        RealEditError: a prediction is not finite; the message names the step.
    """
    z = start
    for edit in callbacks:
        z = edit(z, first)
    for i in range(first, len(schedule)):
        # Predict; with a gradient only where guidance wants one.
        step = Step(model, schedule, conditioning, i, controllers)
        gradient = None
        if guidance is not None and guidance.active(i, len(schedule)):
            gradient, output = step.guided(z, guidance)
        else:
            output = step.unguided(z)

        # Guide: the energy's gradient joins the noise prediction (eq. 3 of arXiv 2306.00986).
        clean, noise = schedule.parameterisation.split(output, z, schedule.alpha_from[i])
        if guidance is not None and gradient is not None:
            shift = guidance.shift(gradient, noise, schedule.alpha_from[i])
            output = output + schedule.parameterisation.from_noise_shift(shift, schedule.alpha_from[i])
        if not torch.isfinite(output).all():
            raise RealEditError(f"step {i + 1} of {len(schedule)} gave no finite numbers; try --dtype float32")
        if preview is not None:
            preview(i, clean)

        # Step, then whatever holds latents in place.
        z = schedule.down(z, output, i)
        for edit in callbacks:
            z = edit(z, i + 1)
        on_step(i)
    return z
