"""How long the networks work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(eq=False)
class Clock:
    """Seconds of work in `running` blocks; a block inside another is not counted twice."""

    seconds: float = 0.0
    depth: int = 0

    @contextmanager
    def running(self, device: torch.device) -> Iterator[None]:
        """Count what is done inside the block, with what it starts on the `device`."""
        began = self._now(device)
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.seconds += self._now(device) - began

    def _now(self, device: torch.device) -> float:
        if self.depth == 0 and device.type == "cuda":
            torch.cuda.synchronize(device)  # kernels run on after the call that starts them
        return time.perf_counter()
