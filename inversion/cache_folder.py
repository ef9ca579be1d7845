"""The folder in which what can be computed again is kept."""

import os
from pathlib import Path

import platformdirs

PLACE_VARIABLE = "REALEDIT_CACHE"
HASHES = "hashes.json"  # of files of weights, in that folder


def cache_folder() -> Path:
    """Where references and hashes of weights are kept; $REALEDIT_CACHE overrides the system's cache folder."""
    place = os.environ.get(PLACE_VARIABLE)
    return Path(place).expanduser() if place else Path(platformdirs.user_cache_dir("realedit", appauthor=False))
