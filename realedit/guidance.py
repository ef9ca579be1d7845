"""Where an energy's gradient goes, and classifier-free guidance."""

from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.energies import Energy


def classifier_free(unprompted: Tensor, prompted: Tensor, guidance_scale: float) -> Tensor:
    """uncond + g (cond - uncond), in diffusers' sense of g (arXiv 2207.12598; there w = g - 1)."""
    return unprompted + guidance_scale * (prompted - unprompted)


@dataclass(frozen=True, eq=False)
class Guidance:
    """An energy, and the rule that turns its gradient into a shift of the noise prediction.

    The gradient is scaled until its length in the touched `region` (1, 1, h, w) is `strength` times
    that of the classifier-free-guidance difference there (the normalisation of Guide-and-Rescale,
    arXiv 2409.01322), so one strength serves all photos and models. Because such a gradient never
    fades by itself, it is faded linearly once the energy falls below `tolerance`, and it is off
    after the fraction `until` of the schedule.
    """

    energy: Energy
    region: Tensor
    strength: float
    tolerance: float
    until: float

    def active(self, i: int, steps: int) -> bool:
        """Whether step `i` is guided at all: every step early on, every second one after."""
        done = i / steps
        return done < self.until and (done < 0.5 * self.until or i % 2 == 0)

    def shift(self, value: Tensor, gradient: Tensor, difference: Tensor) -> Tensor:
        """The change of the noise prediction for an energy of `value` with this `gradient` in z,
        `difference` being cond - uncond times g."""
        region = self.region.to(gradient.device)
        masked = gradient * region
        length = _rms(masked, region)
        if length == 0:
            return torch.zeros_like(gradient)
        fade = min(1.0, float(value) / self.tolerance)
        return masked * (fade * self.strength * _rms(difference * region, region) / length)


def _rms(values: Tensor, region: Tensor) -> Tensor:
    """Root mean square over the cells of the region."""
    return (values.square().sum() / (region.sum() * values.shape[1]).clamp(min=1)).sqrt()
