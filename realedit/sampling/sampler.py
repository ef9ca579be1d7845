"""The guided sampling loop, and nothing else."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from inversion.errors import RealEditError
from inversion.model import DiffusionModel, ResidualInputs
from inversion.problem import silent
from inversion.schedule import Schedule
from realedit.sampling.guidance import GuidanceRule
from realedit.sampling.prediction import Conditioning, Controller, Step
from realedit.sampling.session import Preview
from realedit.sampling.stepping import DdimSteps, StepRule

LatentCallback = Callable[[Tensor, int], Tensor]
"""(latent, its level) -> latent; level 0 is the noise, level `steps` the photo."""


def sample(
    model: DiffusionModel,
    start: Tensor,
    schedule: Schedule,
    conditioning: Conditioning,
    *,
    walk: Sequence[int] | None = None,
    stepping: StepRule | None = None,
    guidance: GuidanceRule | None = None,
    controllers: Sequence[Controller] = (),
    residuals: ResidualInputs | None = None,
    callbacks: Sequence[LatentCallback] = (),
    preview: Preview | None = None,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """Walk from `start` (1, C, h, w), a latent at the first level of the `walk`, to one at its last.

    A walk names levels in the order in which they are visited, 0 the noise, `steps` the photo; None: all of them, once.
    To the next level the network leads, to any noisier one fresh noise (`stepping`). With rows alone this is diffusers'
    DDIM pipeline, to the last bit in float32.

    Raises:
        RealEditError: a prediction is not finite; the message names the step.
        ValueError: the walk goes down by more than one level at once.
    """
    levels, z, stepping = tuple(walk or schedule.walk()), start, stepping or DdimSteps()
    for edit in callbacks:
        z = edit(z, levels[0])
    for level, target in pairwise(levels):
        if target > level + 1:
            raise ValueError(f"no step leads from level {level} to level {target}")
        if target > level:
            step = Step(model, schedule, conditioning, level, controllers, residuals)
            z = stepping.down(schedule, z, _prediction(step, z, guidance, preview), level)
        else:
            z = stepping.up(schedule, z, level, target)
        for edit in callbacks:  # whatever holds latents in place
            z = edit(z, target)
        on_step(level)
    return z


def _prediction(step: Step, z: Tensor, guidance: GuidanceRule | None, preview: Preview | None) -> Tensor:
    """The output (1, C, h, w) that the step follows, with what guidance changes of it."""
    schedule, i = step.schedule, step.i
    # Predict; with a gradient only where guidance wants one.
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
    return output
