"""What work costs: evaluations of a network, counted as they happen, and the time that they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from inversion.clock import Clock

BACKWARD_COST = 1.08  # of a forward pass, with frozen weights (counted on Stable Diffusion 1.5)


@dataclass(eq=False)
class Meter:
    """Network evaluations in forward-equivalents: a forward pass of one row of the U-Net is 1; and, once all is done,
    for how long all networks worked."""

    forward_equivalents: float = 0.0
    network_seconds: float = 0.0


@contextmanager
def metered(unet: nn.Module, clock: Clock) -> Iterator[Meter]:
    """Count every row that passes through a U-Net inside the block, with its gradient if it has one; and what a `clock`
    counts meanwhile."""
    meter, before = Meter(), clock.seconds

    def count(module: Any, args: Any, kwargs: Any, output: Any) -> None:
        rows = (args[0] if args else kwargs["sample"]).shape[0]
        tracked = output.sample.requires_grad
        again = module.is_gradient_checkpointing  # activations are computed twice then
        meter.forward_equivalents += rows * (1 + (BACKWARD_COST + again) * tracked)

    handle = unet.register_forward_hook(count, with_kwargs=True)
    try:
        yield meter
    finally:
        handle.remove()
        meter.network_seconds = clock.seconds - before
