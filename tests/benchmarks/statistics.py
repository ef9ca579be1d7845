"""Many verdicts as a few numbers, each with its 95 % confidence interval."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, bootstrap

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def shows_difference(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0

    def text(self, digits: int) -> str:
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def median(values: Sequence[float]) -> Estimate:
    """The median of all values that are numbers; the interval by bootstrap (percentile)."""
    known = np.array([v for v in values if not math.isnan(v)])
    if len(known) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    middle = float(np.median(known))
    if len(known) < 2 or np.ptp(np.nan_to_num(known, posinf=1e9)) == 0 or not np.isfinite(known).all():
        return Estimate(middle, float(known.min()), float(known.max()))
    return _bootstrapped(known, np.median, seed=0)


def paired_difference(values: Sequence[float], base: Sequence[float], seed: int = 0) -> Estimate:
    """The mean of what `values` are above those of `base` for the same cases; the interval by bootstrap (percentile)
    of the cases. Pairs whose difference is no finite number are left out."""
    differences = np.array([v - b for v, b in zip(values, base, strict=True)], dtype=float)
    known = differences[np.isfinite(differences)]
    if len(known) == 0:
        return Estimate(math.nan, math.nan, math.nan)
    if np.ptp(known) == 0:
        return Estimate(*(float(known[0]),) * 3)
    return _bootstrapped(known, np.mean, seed)


def _bootstrapped(known: np.ndarray, statistic: Callable[..., Any], seed: int) -> Estimate:
    rng = np.random.default_rng(seed)
    interval = bootstrap((known,), statistic, confidence_level=LEVEL, method="percentile", rng=rng).confidence_interval
    return Estimate(float(statistic(known)), float(interval.low), float(interval.high))


def share(verdicts: Sequence[bool]) -> Estimate:
    """The share of true verdicts, with Wilson's interval."""
    if not verdicts:
        return Estimate(math.nan, math.nan, math.nan)
    interval = binomtest(sum(verdicts), len(verdicts)).proportion_ci(LEVEL, method="wilson")
    return Estimate(sum(verdicts) / len(verdicts), float(interval.low), float(interval.high))
