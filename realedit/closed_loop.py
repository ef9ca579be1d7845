"""How strongly to guide, from how the energy fell so far: the user names a target, not a weight. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """An energy, measured when the fraction `done` of the schedule lay behind."""

    done: float
    energy: float


@dataclass(frozen=True)
class Strength:
    """Length of the guidance gradient against the predicted noise: where it starts, and between which
    limits and by which factor it is adapted at every guided step."""

    start: float = 0.1
    least: float = 0.02
    most: float = 0.5
    factor: float = 1.4

    def after(self, measured: Sequence[Measured], goal: float, until: float) -> float:
        """The strength at the newest of the measurements, if the energy is to fall geometrically from
        the first of them to `goal` when the fraction `until` of the schedule is done: stronger after
        every measurement above that path, weaker after every one below."""
        if not measured:
            return self.start
        first, strength = measured[0], self.start
        for now in measured[1:]:
            share = min(1.0, (now.done - first.done) / max(until - first.done, 1e-6))
            due = first.energy * (goal / first.energy) ** share
            strength *= self.factor if now.energy > due else 1 / self.factor
            strength = min(max(strength, self.least), self.most)
        return strength
