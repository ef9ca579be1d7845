"""Self-guidance as arXiv 2306.00986 edits real photos: no inversion, references from fresh forward noise.

At every step the photo is noised anew to that level and looked at; the picture starts from noise of
its own and is pulled towards what was seen there (appendix of the paper). The gradient is added to the
noise prediction as eq. 3 says, times v and sigma_t.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.problem import Inverted
from inversion.record import record
from inversion.reference import Reference
from inversion.schedule import Schedule, ddim_step
from inversion.taps import Tape
from realedit.sampling.energies import Energy


@dataclass(frozen=True, eq=False)
class PublishedRule:
    """eps + v sigma_t grad g: in every step of the first 3/16 of the schedule, then in every second
    one, not in the last 1/32."""

    energy: Energy
    v: float
    sites: tuple[str, ...] = ()

    def active(self, i: int, steps: int) -> bool:
        done = i / steps
        return done < 31 / 32 and (done < 3 / 16 or i % 2 == 0)

    def begin(self, i: int) -> None:
        pass

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor:
        return self.energy(tape, i)

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        return self.v * (1 - alpha_bar) ** 0.5 * gradient


def forward_noised(
    model: DiffusionModel, latent: Tensor, prompt: str, schedule: Schedule, guidance_scale: float, seed: int
) -> Reference:
    """What the model sees in the photo's `latent` (1, C, h, w) under fresh noise of every level."""
    generator = torch.Generator().manual_seed(seed)
    levels = [
        ddim_step(latent, torch.randn(latent.shape, generator=generator), alpha_bar)
        for alpha_bar in schedule.alpha_from
    ]
    empty = model.unprompted().repeat(len(schedule))
    inverted = Inverted(torch.cat([*levels, latent]), empty, guidance_scale)
    return record(model, inverted, prompt, schedule, "forward noise")
