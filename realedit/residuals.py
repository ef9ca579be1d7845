"""What guided sampling misses of the photo at every step, added back where the photo stays as it is."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Residuals:
    """A latent edit: after step `i`, `values[i]` (steps, C, h, w) are added where `kept` (1, 1, h, w) is 1.

    Where the photo changes they would hold its old pixels (arXiv 2310.01506 adds them everywhere). `first` is
    the step at which sampling starts.
    """

    values: Tensor
    kept: Tensor | None = None
    first: int = 0

    def __call__(self, latent: Tensor, level: int) -> Tensor:
        if level <= self.first:
            return latent
        missed = self.values[level - 1 : level].to(latent.device)
        kept = torch.ones_like(latent[:, :1]) if self.kept is None else self.kept.to(latent.device)
        return latent + kept * missed
