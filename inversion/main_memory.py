"""How much main memory is free, and work refused that needs more. No torch: photos are read without it."""

import psutil

from inversion.errors import MemoryShortage

KEPT_FREE = 0.1  # of what is available


def free_bytes() -> int:
    """Bytes of main memory that are free, beside those that this process holds already."""
    return int(psutil.virtual_memory().available)


def require(needed: int, advice: str) -> None:
    """Check before some work that main memory has `needed` bytes free.

    Raises:
        MemoryShortage: it has not; the message ends with `advice`, what the user can do instead.
    """
    free = free_bytes()
    if needed > free * (1 - KEPT_FREE):
        raise MemoryShortage(
            f"this needs about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free; {advice}"
        )
