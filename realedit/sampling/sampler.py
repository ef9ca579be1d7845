"""The guided sampling loop, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.problem import silent
from inversion.schedule import Schedule
from inversion.taps import tap
from inversion.text import Embedding
from realedit.sampling.guidance import GuidanceRule, classifier_free

LatentCallback = Callable[[Tensor, int], Tensor]
"""(latent, its level) -> latent; level 0 is the noise, level `steps` the photo."""


@dataclass(frozen=True, eq=False)
class Conditioning:
    """The texts of the two rows: the prompt, and that of the unprompted row at every step."""

    prompt: Embedding
    unconditional: Embedding
    guidance_scale: float

    @classmethod
    def plain(cls, model: DiffusionModel, prompt: str, steps: int, guidance_scale: float) -> "Conditioning":
        """A prompt against the empty text, at each of so many steps."""
        return cls(model.embed(prompt), model.unprompted().repeat(steps), guidance_scale)

    def unprompted(self, i: int) -> Embedding:
        return self.unconditional[i : i + 1].to(self.prompt.tokens.device)


def sample(
    model: DiffusionModel,
    start: Tensor,
    schedule: Schedule,
    conditioning: Conditioning,
    *,
    first: int = 0,
    guidance: GuidanceRule | None = None,
    callbacks: Sequence[LatentCallback] = (),
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """Walk from `start` (1, C, h, w), the noise or the latent before step `first`, to a clean latent.

    Without guidance and edits this is diffusers' DDIM pipeline, to the last bit in float32.
    """
    z = start
    for edit in callbacks:
        z = edit(z, first)
    for i in range(first, len(schedule)):
        t = schedule.timesteps[i]
        null = conditioning.unprompted(i)

        # Predict; with a gradient only where guidance wants one, and never for the unprompted row.
        shift = None
        if guidance is not None and guidance.active(i, len(schedule)):
            _, gradient, prompted = energy_gradient(model, z, t, conditioning.prompt, guidance, (i, len(schedule)))
            with torch.no_grad():
                unprompted = model.predict(z, t, [null])
            output = classifier_free(unprompted, prompted, conditioning.guidance_scale)
            if gradient is not None:
                _, noise = schedule.parameterisation.split(output, z, schedule.alpha_from[i])
                shift = guidance.shift(gradient, noise, schedule.alpha_from[i])
        else:
            with torch.no_grad():
                output = _predict(model, z, t, null, conditioning)

        # Guide: the energy's gradient joins the noise prediction (eq. 3 of arXiv 2306.00986).
        if shift is not None:
            output = output + schedule.parameterisation.from_noise_shift(shift, schedule.alpha_from[i])

        # Step, then whatever holds latents in place.
        z = schedule.down(z, output, i)
        for edit in callbacks:
            z = edit(z, i + 1)
        on_step(i)
    return z


def _predict(model: DiffusionModel, z: Tensor, t: int, null: Embedding, rows: Conditioning) -> Tensor:
    """Both rows in one batch, or the prompted row alone where the other has no say."""
    if rows.guidance_scale <= 1:
        return model.predict(z, t, [rows.prompt])
    unprompted, prompted = model.predict(z, t, [null, rows.prompt]).chunk(2)
    return classifier_free(unprompted, prompted, rows.guidance_scale)


def energy_gradient(
    model: DiffusionModel, z: Tensor, t: int, prompt: Embedding, guidance: GuidanceRule, when: tuple[int, int]
) -> tuple[float, Tensor | None, Tensor]:
    """The energy at `z`, its gradient in z, and the prompted row's output, all without a graph. `when`
    is the step and the number of steps. No gradient where the energy asks for nothing."""
    z = z.detach().requires_grad_()
    with torch.enable_grad(), tap(model.unet, model.sites) as tape:
        prompted = model.predict(z, t, [prompt])
        value = guidance.energy(tape, when[0])
        if guidance.satisfied(value.item(), *when):
            return value.item(), None, prompted.detach()
        (gradient,) = torch.autograd.grad(value, z)
    return value.item(), gradient, prompted.detach()
