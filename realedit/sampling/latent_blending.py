"""Hold latents to what is already known of the result, cell by cell, for as long as each cell says.

The known result is a composite picture: the photo with the object in its new place and the old
place filled in roughly. Its latent, mixed with the noise in which the model holds the photo, is what a cell is set to
while it is held; afterwards the model draws freely.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.schedule import Schedule

TOUCHED_SHARE = 0.01  # share of a cell from which it counts as touched
NOISELESS = 1e-12  # of 1 - alpha_bar: a level below this holds no noise that could be told


@dataclass(frozen=True, eq=False)
class LatentBlend:
    """A latent callback. `levels` (steps + 1, C, h, w): the known latents, noise first; `until`
    (1, 1, h, w): the fraction of the schedule up to which each cell is held (1 = to the end)."""

    levels: Tensor
    until: Tensor

    @property
    def released(self) -> int:
        """The last level at which every cell is still held: what lies before needs no sampling."""
        return min(len(self.levels) - 1, int(float(self.until.min()) * (len(self.levels) - 1)))

    def __call__(self, z: Tensor, level: int) -> Tensor:
        done = level / (len(self.levels) - 1)
        return torch.where(self.until >= done, self.levels[level : level + 1], z)


@dataclass(frozen=True, eq=False)
class LatentPath:
    """The way on which the model holds a photo: its inverted latents, `pivots` (steps + 1, C, h, w), the noise first,
    its own clean latent, `photo` (1, C, h, w), and the `schedule` of noise levels."""

    pivots: Tensor
    photo: Tensor
    schedule: Schedule


def noised_composite(path: LatentPath, composite: Tensor, hole: Tensor, seed: int) -> Tensor:
    """A `composite` of the photo, as a clean latent (1, C, h, w), at every noise level (steps + 1, C, h, w).

    The noise of a level is what the photo's pivot holds beside the photo; in the `hole` (1, 1, h, w) it is fresh.
    """
    photo = path.photo
    fresh = torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed)).to(photo.device)
    levels = []
    for pivot, alpha_bar in zip(path.pivots[:, None], path.schedule.alphas(), strict=True):
        noise = (pivot - alpha_bar**0.5 * photo) / (1 - alpha_bar).clamp(min=NOISELESS) ** 0.5
        noise_there = torch.where(hole > 0.5, fresh, noise)
        # Written as a change of the pivot, so that cells which nothing touches keep it to the bit.
        change = alpha_bar**0.5 * (composite - photo) + (1 - alpha_bar) ** 0.5 * (noise_there - noise)
        levels.append(pivot + change)
    return torch.cat(levels)


@dataclass(frozen=True, eq=False)
class ResidualCorrection:
    """A latent callback: after step `i`, `values[i]` (steps, C, h, w) are added (arXiv 2310.01506)."""

    values: Tensor

    def __call__(self, latent: Tensor, level: int) -> Tensor:
        return latent + self.values[level - 1 : level].to(latent.device) if level > 0 else latent


def touched_cells(mask: Tensor, latent: Tensor) -> Tensor:
    """A mask on the latent's grid: 1 in all cells that it touches noticeably."""
    return cells_of(mask, latent, TOUCHED_SHARE)


def cells_of(mask: Tensor, latent: Tensor, share: float) -> Tensor:
    """A mask on the latent's grid: 1 in cells of which at least `share` is covered."""
    return (F.interpolate(mask, size=latent.shape[-2:], mode="area") >= share).float().to(latent.device)
