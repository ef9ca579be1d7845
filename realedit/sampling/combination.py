"""How the predictions of the rows become one: classifier-free guidance, and its variants."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from realedit.settings import Guider


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the network gave out for the rows at one latent, each (1, C, h, w): the `unprompted` one, None where it was
    not asked, the `prompted` one, and the `others` that the conditioning has."""

    unprompted: Tensor | None
    prompted: Tensor
    others: tuple[Tensor, ...] = ()


class Combine(Protocol):
    """Makes one prediction of several, at a guidance `scale` and where the fraction `done` of the schedule lies
    behind."""

    def asks(self, scale: float, done: float) -> bool:
        """Whether the unprompted row has a say there; if not, it is not evaluated."""
        ...

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        """The prediction (1, C, h, w)."""
        ...


def classifier_free(unprompted: Tensor, prompted: Tensor, guidance_scale: float) -> Tensor:
    """uncond + g (cond - uncond), in diffusers' sense of g (arXiv 2207.12598; there w = g - 1)."""
    return unprompted + guidance_scale * (prompted - unprompted)


@dataclass(frozen=True)
class ClassifierFree:
    """Classifier-free guidance; at a scale of 1 or less the prompted row alone."""

    def asks(self, scale: float, done: float) -> bool:
        return scale > 1

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        return rows.prompted if rows.unprompted is None else classifier_free(rows.unprompted, rows.prompted, scale)


CLASSIFIER_FREE = ClassifierFree()


@dataclass(frozen=True)
class Rescaled:
    """Classifier-free guidance with the spread of the prompted row, mixed into the plain one by the share `rescale`
    (Lin et al., arXiv 2305.08891, section 3.4: 0.7): high scales no longer overexpose."""

    rescale: float = 0.7

    def asks(self, scale: float, done: float) -> bool:
        return scale > 1

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        if rows.unprompted is None:
            return rows.prompted
        plain = classifier_free(rows.unprompted, rows.prompted, scale)
        return torch.lerp(plain, plain * (rows.prompted.std() / plain.std()), self.rescale)


@dataclass(frozen=True)
class Interval:
    """Classifier-free guidance where the fraction of the schedule lies in [begin, until), and the prompted row alone
    elsewhere, which saves a row there (Kynkäänniemi et al., arXiv 2404.07724). The paper tells limits by noise
    levels; of Stable Diffusion's DDIM steps these are sigma from 0.28 to 2.9 (not checked against its table)."""

    begin: float = 0.32
    until: float = 0.92

    def asks(self, scale: float, done: float) -> bool:
        return scale > 1 and self.begin <= done < self.until

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        return rows.prompted if rows.unprompted is None else classifier_free(rows.unprompted, rows.prompted, scale)


@dataclass(eq=False)
class AdaptiveProjected:
    """Adaptive projected guidance (APG, Sadat et al., arXiv 2410.02416): of the difference between the rows, with
    `momentum` over steps and no longer than `longest`, the part along the prompted prediction counts `parallel` times.
    As in diffusers the predictions are the network's own, where the paper takes clean latents. For one run."""

    momentum: float = -0.75
    longest: float = 7.5
    parallel: float = 0.0
    _mean: Tensor | None = field(default=None, init=False)

    def asks(self, scale: float, done: float) -> bool:
        return scale > 1

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        if rows.unprompted is None:
            return rows.prompted
        difference = rows.prompted - rows.unprompted
        self._mean = difference if self._mean is None else difference + self.momentum * self._mean
        difference = self._mean * min(1.0, self.longest / float(self._mean.norm()))
        direction = rows.prompted.double() / rows.prompted.double().norm()
        along = ((difference.double() * direction).sum() * direction).to(difference)
        return rows.prompted + (scale - 1) * (difference - along + self.parallel * along)


def combination(guider: Guider) -> Combine:
    """What a choice means, anew for each run, with its paper's numbers."""
    kinds = {Guider.RESCALED: Rescaled, Guider.INTERVAL: Interval, Guider.APG: AdaptiveProjected}
    return CLASSIFIER_FREE if guider is Guider.PLAIN else kinds[guider]()
