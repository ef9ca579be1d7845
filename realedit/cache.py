"""Recorded references on disk, so that a second edit of the same photo does not invert again."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PLACE_VARIABLE = "REALEDIT_CACHE"


@dataclass(frozen=True)
class Entry:
    path: Path
    bytes: int


def folder() -> Path:
    """Where references are kept; $REALEDIT_CACHE overrides the system's cache folder."""
    place = os.environ.get(PLACE_VARIABLE)
    return Path(place) if place else Path(platformdirs.user_cache_dir("realedit", appauthor=False))


def entries() -> list[Entry]:
    """What is kept, newest first."""
    files = sorted(folder().glob("*.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
    return [Entry(f, f.stat().st_size) for f in files]


def clear() -> list[Entry]:
    """Delete every reference and return what was deleted."""
    gone = entries()
    for entry in gone:
        entry.path.unlink(missing_ok=True)
    return gone


def path_of(key: str) -> Path:
    return folder() / f"{key}.safetensors"
