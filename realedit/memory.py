"""Memory is estimated before it is taken."""

import psutil

from inversion.errors import RealEditError

KEPT_FREE = 0.1  # of what is available, for everything else


def require(needed: int, advice: str) -> None:
    """Raises `RealEditError` if so many bytes cannot be had; `advice` says what to do instead."""
    free = available()
    if needed > free * (1 - KEPT_FREE):
        raise RealEditError(f"this needs about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free; {advice}")


def available() -> int:
    """Bytes of memory that can be taken without swapping."""
    return int(psutil.virtual_memory().available)
