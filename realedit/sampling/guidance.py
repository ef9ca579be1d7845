"""Self-guidance as a closed loop: how strongly an energy's gradient acts
follows from what was measured at the steps before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from inversion.taps import Tape
from realedit.sampling.energies import Energy
from realedit.sampling.source_pass import FeatureEnergy
from realedit.settings import Strength


@dataclass(frozen=True)
class EnergySample:
    """An energy, measured when the fraction `done` of the schedule lay behind, and what `features` weighed beside it,
    if there are any."""

    done: float
    energy: float
    features: float | None = None


def adapted_strength(strength: Strength, measured: Sequence[EnergySample], goal: float, until: float) -> float:
    """The strength at the newest of the measurements, if the energy is to fall geometrically from
    the first of them to `goal` when the fraction `until` of the schedule is done: stronger after
    every measurement above that path, weaker after every one below."""
    if not measured or measured[0].energy <= goal:
        return strength.start
    first, current = measured[0], strength.start
    for now in measured[1:]:
        share = min(1.0, (now.done - first.done) / max(until - first.done, 1e-6))
        due = first.energy * (goal / first.energy) ** share
        current *= strength.factor if now.energy > due else 1 / strength.factor
        current = min(max(current, strength.least), strength.most)
    return current


@dataclass(frozen=True, eq=False)
class WeightedFeatures:
    """A feature energy and its weight beside the other energies."""

    weight: float
    energy: FeatureEnergy


class GuidanceRule(Protocol):
    """What the sampler asks of guidance: an energy, when to use it, and where its gradient goes."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Modules whose feature maps the energy reads, beside those of the model's own `sites`."""
        ...

    def active(self, i: int, steps: int) -> bool:
        """Whether the energy is measured at step `i` of `steps`."""
        ...

    def begin(self, i: int) -> None:
        """Called before the pass through the network that is read at step `i`: for passes of the rule's own."""
        ...

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor | None:
        """What shall fall, a scalar of what was read at step `i`, of which note is taken; None where nothing is asked:
        then no gradient is computed."""
        ...

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        """The change of the predicted `noise` for an energy with this `gradient` in z, at the noise
        level `alpha_bar`."""
        ...


@dataclass(frozen=True)
class GuidedSteps:
    """The steps in which an energy is measured, by fractions of the schedule: from `begin` on and before `until` each
    second, but before `dense_until` every one (as in arXiv 2306.00986, which guides all of the first 3/16)."""

    begin: float
    until: float
    dense_until: float = 0.0

    def __contains__(self, step: tuple[int, int]) -> bool:
        """Whether step `i` of `steps` is one of them."""
        i, steps = step
        done = i / steps
        return self.begin <= done < self.until and (i % 2 == 0 or done < self.dense_until)


@dataclass(frozen=True, eq=False)
class Guidance:
    """An energy, and the rule that turns its gradient into a shift of the noise prediction. For one run.

    The gradient is scaled until its length in the touched `region` (1, 1, h, w) is the strength times
    that of the predicted noise there, so strengths mean the same for all photos and models. (Guide-and-
    Rescale, arXiv 2409.01322, takes the classifier-free-guidance difference instead. That vanishes where
    the unprompted row was fitted to the photo.) The strength adapts to how the energy falls; below
    `tolerance` nothing is done. `features`, if any, are pulled along: they have no goal of their own, since how near a
    network's features can come is not known. `read`: modules whose feature maps the energy reads, beside those that are
    read anyway. `history` is what was seen so far.
    """

    energy: Energy
    region: Tensor
    strength: Strength
    tolerance: float
    guided: GuidedSteps
    features: WeightedFeatures | None = None
    read: tuple[str, ...] = ()
    history: list[EnergySample] = field(default_factory=list)

    @property
    def sites(self) -> tuple[str, ...]:
        return self.read + (self.features.energy.sites if self.features else ())

    def active(self, i: int, steps: int) -> bool:
        return (i, steps) in self.guided

    def begin(self, i: int) -> None:
        if self.features is not None:
            self.features.energy.source.features(i)

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor | None:
        value = self.energy(tape, i)
        if self.features is not None:
            pull = self.features.weight * self.features.energy(tape, i)
            self.history.append(EnergySample(i / steps, value.item(), pull.item()))
            return value + pull
        self.history.append(EnergySample(i / steps, value.item()))
        return value if value.item() > self.tolerance else None

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        region = self.region.to(gradient.device)
        masked = gradient * region
        length = _rms(masked, region)
        if length == 0:
            return torch.zeros_like(gradient)
        return masked * (self.current * _rms(noise * region, region) / length)

    @property
    def current(self) -> float:
        """The strength that follows from what was measured so far."""
        return self._strength_after(len(self.history))

    def strengths(self) -> list[float]:
        """How strongly the gradient acted at each sample of the history; 0 where nothing was asked."""
        asked = (self.features is not None or sample.energy > self.tolerance for sample in self.history)
        return [self._strength_after(k) if acts else 0.0 for k, acts in enumerate(asked, 1)]

    def _strength_after(self, samples: int) -> float:
        return adapted_strength(self.strength, self.history[:samples], self.tolerance, self.guided.until)


def _rms(values: Tensor, region: Tensor) -> Tensor:
    """Root mean square over the cells of the region."""
    return (values.square().sum() / (region.sum() * values.shape[1]).clamp(min=1)).sqrt()
