"""Fresh noise: of a picture to be drawn, and over a latent that was never inverted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule, ddim_step


@dataclass(frozen=True, eq=False)
class NoisedLatent:
    """A noised latent `z` (1, C, h, w), the `noise` that it holds, and its level: the `timestep` and `alpha`."""

    z: Tensor
    noise: Tensor
    timestep: int
    alpha: Tensor


def noised_latents(latent: Tensor, schedule: Schedule, fractions: Sequence[float], seed: int) -> Iterator[NoisedLatent]:
    """A picture's latent (1, C, h, w) at these fractions of the schedule, where 1 is its end, each in noise of its
    own."""
    generator = torch.Generator().manual_seed(seed)
    for fraction in fractions:
        i = min(len(schedule) - 1, round(fraction * len(schedule)))
        noise = torch.randn(latent.shape, generator=generator).to(latent.device)
        yield NoisedLatent(
            ddim_step(latent, noise, schedule.alpha_from[i]), noise, schedule.timesteps[i], schedule.alpha_from[i]
        )


def fresh_noise(model: DiffusionModel, size: tuple[int, int], seed: int) -> Tensor:
    """Fresh noise (1, C, h, w) for a picture of `size` (width, height)."""
    shape = (1, model.unet.config.in_channels, size[1] // model.latent_factor, size[0] // model.latent_factor)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
