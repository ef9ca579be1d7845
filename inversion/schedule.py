"""The noise levels of a run and the DDIM step between two of them, for both directions."""

import enum
from dataclasses import dataclass

import torch
from torch import Tensor


class Parameterisation(enum.Enum):
    """What the network predicts, the noise or v; the values are the names in a scheduler's configuration."""

    EPSILON = "epsilon"
    V = "v_prediction"

    def split(self, output: Tensor, z: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
        """The clean latent and the noise that the network's `output` predicts for `z` at the level `alpha_bar`."""
        beta_bar = 1 - alpha_bar
        if self is Parameterisation.EPSILON:
            return (z - beta_bar**0.5 * output) / alpha_bar**0.5, output
        clean = alpha_bar**0.5 * z - beta_bar**0.5 * output
        return clean, alpha_bar**0.5 * output + beta_bar**0.5 * z

    def from_noise_shift(self, shift: Tensor, alpha_bar: Tensor) -> Tensor:
        """The change of `output` that changes the noise by `shift` while z stays the same.

        For v = sqrt(ab) eps - sqrt(1 - ab) x0 and z fixed, dv = d eps / sqrt(ab). Where z is pure noise (ab = 0:
        schedules with a terminal signal-to-noise ratio of zero), no change of v changes the noise: zeros."""
        if self is Parameterisation.EPSILON:
            return shift
        return shift / alpha_bar**0.5 if alpha_bar > 0 else torch.zeros_like(shift)


@dataclass(frozen=True, eq=False)
class Schedule:
    """The steps of one run in sampling order; step `i` goes from `alpha_from[i]` to `alpha_to[i]`.

    `alpha_from` and `alpha_to` are alpha_bar, float32 `(steps,)`, in [0, 1]; `timesteps` are the U-Net's. Both
    directions share them: inversion goes from `alpha_to[i]` up to `alpha_from[i]` at step `i`. Latents, outputs and
    noises of its methods are (B, C, h, w).
    """

    timesteps: tuple[int, ...]
    alpha_from: Tensor
    alpha_to: Tensor
    parameterisation: Parameterisation

    def __len__(self) -> int:
        return len(self.timesteps)

    def walk(self, first: int = 0) -> range:
        """The levels from `first` to the clean one, in sampling order; level `i` is that before step `i`."""
        return range(first, len(self) + 1)

    def alphas(self) -> Tensor:
        """alpha_bar of every level (steps + 1,), the noise first."""
        return torch.cat((self.alpha_from, self.alpha_to[-1:]))

    def down(self, z: Tensor, output: Tensor, i: int) -> Tensor:
        """One DDIM step towards the photo (arXiv 2010.02502, eq. 12 with sigma = 0), with the network's `output` for
        `z`."""
        clean, noise = self.parameterisation.split(output, z, self.alpha_from[i])
        return ddim_step(clean, noise, self.alpha_to[i])

    def up(self, z: Tensor, output: Tensor, i: int) -> Tensor:
        """The same step towards the noise. `output` is the network's at timestep `i` for the less noisy latent `z`, as
        in diffusers' `DDIMInverseScheduler`."""
        clean, noise = self.parameterisation.split(output, z, self.alpha_to[i])
        return ddim_step(clean, noise, self.alpha_from[i])

    def up_along(self, z: Tensor, noise: Tensor, i: int) -> Tensor:
        """The latent that step `i` takes to `z`, if `noise` is what the network predicts for it."""
        clean = (z - (1 - self.alpha_to[i]) ** 0.5 * noise) / self.alpha_to[i] ** 0.5
        return ddim_step(clean, noise, self.alpha_from[i])


def ddim_step(clean: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """Mix a clean latent and noise to the level `alpha_bar`: sqrt(ab) x0 + sqrt(1 - ab) eps."""
    return alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise
