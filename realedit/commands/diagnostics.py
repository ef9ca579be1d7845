"""Does this work with a model, on this machine? Each check is a fact with a bound; together they are what the
tests show on random weights, shown again on those that a user has."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psutil
import torch

from inversion.errors import RealEditError
from realedit.commands import edit_checks, model_checks
from realedit.commands.model_under_test import ModelUnderTest, Verdict

CHECKS: dict[str, Callable[[ModelUnderTest], Verdict]] = {
    "weights": model_checks.weights,
    "words": model_checks.words,
    "equality": model_checks.equality,
    "gradient": model_checks.gradient,
    "reconstruction": edit_checks.reconstruction,
    "masks": edit_checks.masks,
    "move": edit_checks.move,
    "regenerate": edit_checks.regenerate,
}


@dataclass(frozen=True)
class CheckResult:
    """What one check found, and in how many seconds."""

    name: str
    passed: bool
    said: str
    numbers: Mapping[str, float]
    seconds: float


def run_checks(tested: ModelUnderTest) -> Iterator[CheckResult]:
    """Every check in turn; one that raises something that a user can mend has failed."""
    for name, check in CHECKS.items():
        began = time.perf_counter()
        try:
            verdict = check(tested)
        except RealEditError as error:
            verdict = Verdict(False, str(error))
        seconds = time.perf_counter() - began
        yield CheckResult(name, verdict.passed, verdict.said, verdict.numbers, seconds)


def peak_memory(device: torch.device) -> int:
    """Bytes that were in use at most: of a GPU's own, or of this process (where that is not kept: now)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return psutil.Process().memory_info().rss
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
