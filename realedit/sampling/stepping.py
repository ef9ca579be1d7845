"""From one noise level to another: DDIM with or without fresh noise, and back up by noise alone."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from inversion.schedule import Schedule


class StepRule(Protocol):
    """How latents (1, C, h, w) go from level to level; level `i` is that before step `i`."""

    def down(self, schedule: Schedule, z: Tensor, output: Tensor, i: int) -> Tensor:
        """From level `i` to the next, with the network's `output` for `z`."""
        ...

    def up(self, schedule: Schedule, z: Tensor, level: int, to: int) -> Tensor:
        """From a level to a noisier one."""
        ...


@dataclass(frozen=True, eq=False)
class DdimSteps:
    """DDIM steps (arXiv 2010.02502, eq. 12 and 16): `eta` 0 adds no noise, to the last bit what `Schedule.down` does; 1
    adds that of DDPM. Upwards fresh noise takes a latent to what the forward process makes of it (RePaint, arXiv
    2201.09865, eq. 1). All noise comes from `generator`, so it is for one run."""

    eta: float = 0.0
    generator: torch.Generator = field(default_factory=torch.Generator)

    @classmethod
    def seeded(cls, eta: float, seed: int) -> "DdimSteps":
        return cls(eta, torch.Generator().manual_seed(seed))

    def down(self, schedule: Schedule, z: Tensor, output: Tensor, i: int) -> Tensor:
        if self.eta == 0:
            return schedule.down(z, output, i)
        alpha_from, alpha_to = schedule.alpha_from[i], schedule.alpha_to[i]
        clean, noise = schedule.parameterisation.split(output, z, alpha_from)
        sigma = self.eta * ((1 - alpha_to) / (1 - alpha_from) * (1 - alpha_from / alpha_to)) ** 0.5
        return alpha_to**0.5 * clean + (1 - alpha_to - sigma**2) ** 0.5 * noise + sigma * self._fresh(z)

    def up(self, schedule: Schedule, z: Tensor, level: int, to: int) -> Tensor:
        levels = schedule.alphas()
        kept = levels[to] / levels[level]
        return kept**0.5 * z + (1 - kept) ** 0.5 * self._fresh(z)

    def _fresh(self, z: Tensor) -> Tensor:
        return torch.randn(z.shape, generator=self.generator).to(z.device)
