"""What one step of the sampler asks the network: the rows, what is replaced inside them, and the energy's gradient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from inversion.model import DiffusionModel, ResidualInputs
from inversion.replacement import Replacement, replaced
from inversion.schedule import Schedule
from inversion.taps import Sites, tap
from inversion.text import Embedding
from realedit.sampling.combination import CLASSIFIER_FREE, Combine, Predictions, combination
from realedit.sampling.guidance import GuidanceRule
from realedit.settings import Guider

# Powers of two that a loss is multiplied by before it goes back through a network in float16, whose least number is
# 6e-8: gradients of attention are smaller. The first under which all stays finite is used (Micikevicius et al., arXiv
# 1710.03740, section 3.2). Other types reach as far as float32.
LOSS_SCALES = {torch.float16: (2.0**24, 2.0**16, 2.0**8, 1.0)}


@dataclass(frozen=True, eq=False)
class Conditioning:
    """The texts of the rows: the prompt, that of the unprompted row at every step, and `others` that `combine` reads;
    and how their predictions become one at a guidance scale."""

    prompt: Embedding
    unconditional: Embedding
    guidance_scale: float
    combine: Combine = CLASSIFIER_FREE
    others: tuple[Embedding, ...] = ()

    @classmethod
    def plain(cls, model: DiffusionModel, prompt: str, steps: int, guidance_scale: float) -> "Conditioning":
        """A prompt against the empty text, at each of so many steps."""
        return cls(model.embed(prompt), model.unprompted().repeat(steps), guidance_scale)

    def guided_by(self, guider: Guider) -> "Conditioning":
        """The same rows, combined as a guider does it, the plain one as they are; for one run."""
        return self if guider is Guider.PLAIN else replace(self, combine=combination(guider))

    def unprompted(self, i: int) -> Embedding:
        return self.unconditional[i : i + 1].to(self.prompt.tokens.device)


class Controller(Protocol):
    """Replaces what modules inside the network give out."""

    def at(self, i: int) -> Mapping[str, Replacement]:
        """What is replaced at step `i`, by the modules' names."""
        ...


@dataclass(frozen=True, eq=False)
class Step:
    """The predictions of step `i`, with what goes into the network beside the rows."""

    model: DiffusionModel
    schedule: Schedule
    rows: Conditioning
    i: int
    controllers: Sequence[Controller] = ()
    residuals: ResidualInputs | None = None

    @property
    def timestep(self) -> int:
        return self.schedule.timesteps[self.i]

    @torch.no_grad()
    def unguided(self, z: Tensor) -> Tensor:
        """All rows in one batch, the prompted one last; without the unprompted one where it has no say."""
        with replaced(self.model.unet, self._replacements()):
            outputs = self._predict(z, [*self._beside(), self.rows.prompt])
        return self._combined(outputs[-1:], outputs[:-1])

    def guided(self, z: Tensor, guidance: GuidanceRule) -> tuple[Tensor | None, Tensor]:
        """The gradient of the energy in z, None where it asks for nothing, and the output of all rows, without a
        graph: those beside the prompted one are never in one."""
        gradient, prompted = self.energy_gradient(z, guidance)
        beside = self._beside()
        if not beside:
            return gradient, self._combined(prompted, prompted[:0])
        every_row = {name: each for name, each in self._replacements().items() if each.every_row}
        with torch.no_grad(), replaced(self.model.unet, every_row):
            return gradient, self._combined(prompted, self._predict(z, beside))

    def energy_gradient(self, z: Tensor, guidance: GuidanceRule) -> tuple[Tensor | None, Tensor]:
        """The same gradient, and the prompted row's output."""
        model, z = self.model, z.detach().requires_grad_()
        guidance.begin(self.i)
        replacements = self._replacements()
        sites = Sites(model.sites.attention, tuple(dict.fromkeys(model.sites.features + guidance.sites)))
        with torch.enable_grad(), replaced(model.unet, replacements), tap(model.unet, sites) as tape:
            prompted = self._predict(z, [self.rows.prompt])
            parameterisation, alpha = self.schedule.parameterisation, self.schedule.alpha_from[self.i]
            tape.clean = parameterisation.split(prompted, z, alpha)[0]
            value = guidance.evaluate(tape, self.i, len(self.schedule))
            if value is None:
                return None, prompted.detach()
            with model.clock.running(model.device):
                gradient = scaled_gradient(value, z, model.unet.dtype)
        return gradient, prompted.detach()

    @property
    def _done(self) -> float:
        return self.i / len(self.schedule)

    def _beside(self) -> list[Embedding]:
        """The texts beside the prompt that are asked at this step, the unprompted one first."""
        asked = self.rows.combine.asks(self.rows.guidance_scale, self._done)
        return [*([self.rows.unprompted(self.i)] if asked else []), *self.rows.others]

    def _predict(self, z: Tensor, rows: Sequence[Embedding]) -> Tensor:
        return self.model.predict(z, self.timestep, rows, self.residuals)

    def _combined(self, prompted: Tensor, beside: Tensor) -> Tensor:
        """One output (1, C, h, w), of the prompted row's and of those `beside` it, (rows, C, h, w)."""
        others = beside[len(beside) - len(self.rows.others) :].split(1)
        unprompted = beside[:1] if len(beside) > len(self.rows.others) else None
        predictions = Predictions(unprompted, prompted, others if self.rows.others else ())
        return self.rows.combine(predictions, self.rows.guidance_scale, self._done)

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
