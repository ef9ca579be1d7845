"""A cache of the benchmark's own: it neither reads nor fills the user's, and no edit profits from another."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from realedit.sampling import cache


@contextmanager
def fresh_cache() -> Iterator[None]:
    """Redirect the cache to an empty folder for the block."""
    before = os.environ.get(cache.PLACE_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[cache.PLACE_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[cache.PLACE_VARIABLE]
            else:
                os.environ[cache.PLACE_VARIABLE] = before
