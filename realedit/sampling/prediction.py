"""What one step of the sampler asks the network: the rows, what is replaced inside them, and the energy's gradient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.replacement import Replacement, replaced
from inversion.schedule import Schedule
from inversion.taps import Sites, tap
from inversion.text import Embedding
from realedit.sampling.guidance import GuidanceRule, classifier_free

# Powers of two that a loss is multiplied by before it goes back through a network in float16, whose least number is
# 6e-8: gradients of attention are smaller. The first under which all stays finite is used (Micikevicius et al., arXiv
# 1710.03740, section 3.2). Other types reach as far as float32.
LOSS_SCALES = {torch.float16: (2.0**24, 2.0**16, 2.0**8, 1.0)}


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


class Controller(Protocol):
    """Replaces what modules inside the network give out."""

    def at(self, i: int) -> Mapping[str, Replacement]:
        """What is replaced in the prompted row at step `i`, by the modules' names."""
        ...


@dataclass(frozen=True, eq=False)
class Step:
    """The predictions of step `i`."""

    model: DiffusionModel
    schedule: Schedule
    rows: Conditioning
    i: int
    controllers: Sequence[Controller] = ()

    @property
    def timestep(self) -> int:
        return self.schedule.timesteps[self.i]

    @torch.no_grad()
    def unguided(self, z: Tensor) -> Tensor:
        """Both rows in one batch, or the prompted row alone where the other has no say."""
        rows = self.rows
        both = [rows.unprompted(self.i), rows.prompt] if rows.guidance_scale > 1 else [rows.prompt]
        with replaced(self.model.unet, self._replacements()):
            outputs = self.model.predict(z, self.timestep, both)
        return outputs if len(both) == 1 else classifier_free(outputs[:1], outputs[1:], rows.guidance_scale)

    def guided(self, z: Tensor, guidance: GuidanceRule) -> tuple[Tensor | None, Tensor]:
        """The gradient of the energy in z, None where it asks for nothing, and the output of both rows, without a
        graph: the unprompted row is never in one."""
        gradient, prompted = self.energy_gradient(z, guidance)
        if self.rows.guidance_scale <= 1:
            return gradient, prompted
        with torch.no_grad():
            unprompted = self.model.predict(z, self.timestep, [self.rows.unprompted(self.i)])
        return gradient, classifier_free(unprompted, prompted, self.rows.guidance_scale)

    def energy_gradient(self, z: Tensor, guidance: GuidanceRule) -> tuple[Tensor | None, Tensor]:
        """The same gradient, and the prompted row's output."""
        model, z = self.model, z.detach().requires_grad_()
        guidance.begin(self.i)
        replacements = self._replacements()
        sites = Sites(model.sites.attention, tuple(dict.fromkeys(model.sites.features + guidance.sites)))
        with torch.enable_grad(), replaced(model.unet, replacements), tap(model.unet, sites) as tape:
            prompted = model.predict(z, self.timestep, [self.rows.prompt])
            value = guidance.evaluate(tape, self.i, len(self.schedule))
            if value is None:
                return None, prompted.detach()
            with model.clock.running(model.device):
                gradient = scaled_gradient(value, z, model.unet.dtype)
        return gradient, prompted.detach()

    def _replacements(self) -> dict[str, Replacement]:
        return {name: change for each in self.controllers for name, change in each.at(self.i).items()}


def scaled_gradient(value: Tensor, z: Tensor, network_type: torch.dtype) -> Tensor:
    """The gradient of a scalar in the float32 latent `z`, through a network that computes in this type."""
    *scales, last = LOSS_SCALES.get(network_type, (1.0,))
    for scale in scales:
        (gradient,) = torch.autograd.grad(value * scale, z, retain_graph=True)
        if gradient.isfinite().all():
            return gradient / scale
    (gradient,) = torch.autograd.grad(value * last, z)
    return gradient / last
