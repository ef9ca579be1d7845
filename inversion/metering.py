"""What work costs: evaluations of a network, counted as they happen, and the time that they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inversion.clock import Clock

BACKWARD_COST = 1.08  # of a forward pass, with frozen weights (counted on Stable Diffusion 1.5)


@dataclass(eq=False)
class Meter:
    """Network evaluations in forward-equivalents: a forward pass of one row of the U-Net is 1; and, once all is done,
    for how long all networks worked."""

    forward_equivalents: float = 0.0
    network_seconds: float = 0.0

    def count(self, rows: int, *, tracked: bool, twice: bool) -> None:
        """Count a pass of so many rows; with its gradient if it is `tracked`, for which activations may be computed
        `twice`."""
        self.forward_equivalents += rows * (1 + (BACKWARD_COST + twice) * tracked)


@contextmanager
def metered(meters: list[Meter], clock: Clock) -> Iterator[Meter]:
    """Inside the block a further meter is among `meters`, which count every pass; it also has what a `clock` counts
    meanwhile."""
    meter, before = Meter(), clock.seconds
    meters.append(meter)
    try:
        yield meter
    finally:
        meters.remove(meter)
        meter.network_seconds = clock.seconds - before
