"""Self-guidance in a plain diffusers pipeline, as a change of its latents after every step."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from inversion.errors import RealEditError
from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from inversion.text import Embedding
from realedit.sampling.guidance import GuidanceRule
from realedit.sampling.prediction import Conditioning, Step


@dataclass(frozen=True, eq=False)
class PendingShift:
    """The `gradient` of an energy at the latent `z`, both (1, C, h, w), before step `i`."""

    i: int
    z: Tensor
    gradient: Tensor


@dataclass(eq=False)
class StepCallback:
    """The `callback_on_step_end` of one run of a diffusers pipeline, which guides it as `sample` would.

    `model` shares its networks with the pipeline: it is `inversion.model_of(pipe)`, or the pipeline is
    `inversion.plain_pipeline(model)`. `schedule` has as many steps as the run; `prompt` is the embedded prompt.

    `sample` changes the noise predicted at a step by d = `rule.shift(...)`. A pipeline shows no predictions, but DDIM
    (arXiv 2010.02502, eq. 12 with sigma = 0) is linear in them: from alpha_bar ab to ab',

        z' = sqrt(ab' / ab) z + c noise,    c = sqrt(1 - ab') - sqrt(ab' (1 - ab) / ab)

    whether the network predicts the noise or v. So the change of the latent is c d, and the noise that the pipeline
    used, of both rows, follows from z and z'. At the end of a step the energy's gradient at the new latent is taken, in
    a pass of the prompted row; c d is added at the end of the next step, when that step's noise is known. Up to
    rounding this equals `sample` at every step but the first: diffusers calls nothing before it, so call
    `read(noise, 0)` yourself to have that guided too. It costs a pass of the prompted row more than `sample` does.

    It needs a `DDIMScheduler` that clips nothing, `eta` 0, and one picture at a time.
    """

    model: DiffusionModel
    schedule: Schedule
    prompt: Embedding
    rule: GuidanceRule
    _pending: PendingShift | None = field(default=None, init=False)

    def __call__(self, pipe: Any, step_index: int, timestep: Any, callback_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Called by diffusers at the end of every step: `callback_kwargs` with its `latents` (1, C, h, w) guided.

        Raises:
            RealEditError: the pipeline's sampler or steps are others than those of `schedule`, or it draws several
                pictures at once.
        """
        latents = callback_kwargs["latents"]
        self._check(pipe.scheduler, latents)
        i = self.schedule.timesteps.index(int(timestep))  # `step_index` counts from where image-to-image begins
        z = latents.float()
        if self._pending is not None and self._pending.i == i:
            z = z + self._change(self._pending, z)
        guided = z.to(latents.dtype)
        self.read(guided.float(), i + 1)
        return {**callback_kwargs, "latents": guided}

    def read(self, z: Tensor, i: int) -> None:
        """Measure the energy at the latent `z` (1, C, h, w) before step `i`, and keep its gradient for the end of that
        step; nothing where the rule is not active or asks for nothing."""
        self._pending = None
        if i < len(self.schedule) and self.rule.active(i, len(self.schedule)):
            rows = Conditioning(self.prompt, self.prompt, 1.0)  # the prompted row alone
            gradient, _ = Step(self.model, self.schedule, rows, i).energy_gradient(z, self.rule)
            self._pending = None if gradient is None else PendingShift(i, z, gradient)

    def _change(self, pending: PendingShift, z: Tensor) -> Tensor:
        """By what the rule moves the latent `z`, to which the pipeline's step `pending.i` led from `pending.z`."""
        alpha_from, alpha_to = self.schedule.alpha_from[pending.i], self.schedule.alpha_to[pending.i]
        if alpha_from in (0, alpha_to):  # no step, or one from pure noise: as in `sample`, guidance has no say there
            return torch.zeros_like(z)
        of_noise = noise_coefficient(alpha_from, alpha_to)
        noise = (z - (alpha_to / alpha_from) ** 0.5 * pending.z) / of_noise
        return of_noise * self.rule.shift(pending.gradient, noise, alpha_from)

    def _check(self, scheduler: Any, latents: Tensor) -> None:
        """Raises `RealEditError` if a run is not one of which the class's docstring holds."""
        config = scheduler.config
        if type(scheduler).__name__ != "DDIMScheduler" or config.clip_sample or config.thresholding:
            raise RealEditError("guiding a pipeline needs a DDIMScheduler without clip_sample and thresholding")
        if tuple(scheduler.timesteps.tolist()) != self.schedule.timesteps:
            steps, own = len(scheduler.timesteps), len(self.schedule)
            raise RealEditError(f"the pipeline's {steps} steps are not the {own} of the callback's schedule")
        if len(latents) != 1:
            raise RealEditError(f"one picture at a time can be guided, not {len(latents)}")


def noise_coefficient(alpha_from: Tensor, alpha_to: Tensor) -> Tensor:
    """By how much a DDIM step from one alpha_bar to the next changes its latent for each unit of predicted noise."""
    return (1 - alpha_to) ** 0.5 - (alpha_to * (1 - alpha_from) / alpha_from) ** 0.5
