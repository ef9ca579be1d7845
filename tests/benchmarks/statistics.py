"""Many verdicts as a few numbers, each with its 95 % confidence interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, bootstrap

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % confidence interval."""

    value: float
    low: float
    high: float

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
    found = bootstrap((known,), np.median, confidence_level=LEVEL, method="percentile", rng=np.random.default_rng(0))
    return Estimate(middle, float(found.confidence_interval.low), float(found.confidence_interval.high))


def share(verdicts: Sequence[bool]) -> Estimate:
    """The share of true verdicts, with Wilson's interval."""
    if not verdicts:
        return Estimate(math.nan, math.nan, math.nan)
    interval = binomtest(sum(verdicts), len(verdicts)).proportion_ci(LEVEL, method="wilson")
    return Estimate(sum(verdicts) / len(verdicts), float(interval.low), float(interval.high))
