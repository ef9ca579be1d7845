"""What is said of a result: how good it is, and why, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How a result is called; the worst finding decides."""

    GOOD = "good"
    LOOK = "look at it"
    FAILED = "failed"


@dataclass(frozen=True)
class Limits:
    """From which value on a measure is worth a look, and from which it is a failure; one that shrinks with the flaw has
    the lower limit for a failure."""

    look: float
    failed: float

    def level(self, value: float) -> Level:
        """NaN, where nothing was measured, is no flaw."""
        sign = 1 if self.failed >= self.look else -1
        if sign * value >= sign * self.failed:
            return Level.FAILED
        return Level.LOOK if sign * value >= sign * self.look else Level.GOOD


@dataclass(frozen=True)
class Finding:
    """What some measures say of a result: the reason in plain words, and the numbers by their names."""

    level: Level
    reason: str
    measures: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """The level of the worst finding, the reasons of all that are not good, worst first, and every measure, by the
    names of object and measure."""

    level: Level
    reasons: tuple[str, ...]
    measures: dict[str, float]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "Verdict":
        failed, look = ([each for each in findings if each.level is level] for level in (Level.FAILED, Level.LOOK))
        return cls(
            level=worst(Level.GOOD, *(each.level for each in findings)),
            reasons=tuple(each.reason for each in failed + look),
            measures={name: value for each in findings for name, value in each.measures.items()},
        )

    @property
    def failed(self) -> bool:
        return self.level is Level.FAILED

    def to_text(self) -> str:
        return f"{self.level.value}: {'; '.join(self.reasons)}" if self.reasons else self.level.value


def worst(*levels: Level) -> Level:
    """The one that is farthest from good."""
    return max(levels, key=list(Level).index)
