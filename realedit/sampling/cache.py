"""Recorded references on disk, so that a second edit of the same photo does not invert again.

Any number of processes may share the folder. A reference appears under its name only when it is whole,
those used longest ago go first when the folder is full, and what a killed process left is swept up.
"""

import contextlib
import os
import re
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from inversion.cache_folder import HASHES, PLACE_VARIABLE, cache_folder
from inversion.errors import Notice, RealEditError, ReferenceMismatch
from inversion.file_mode import usual_mode

Kept = TypeVar("Kept")
SIZE_VARIABLE = "REALEDIT_CACHE_SIZE"
DEFAULT_SIZE = "4G"
SIZE_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
LOCK_SECONDS = 10.0  # seconds to wait for another process that sweeps
UNFINISHED_SECONDS = 3600.0  # seconds after which an unfinished file has no writer any more


@dataclass(frozen=True)
class Entry:
    path: Path
    bytes: int
    used: float


def folder() -> Path:
    """Where references are kept, see `inversion.cache_folder`."""
    return cache_folder()


def limit() -> int:
    """How many bytes are kept at most; $REALEDIT_CACHE_SIZE overrides it, such as "500M" or "0".

    Raises:
        RealEditError: the variable is no size.
    """
    given = os.environ.get(SIZE_VARIABLE) or DEFAULT_SIZE
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", given.strip(), re.IGNORECASE)
    if match is None:
        raise RealEditError(f'{SIZE_VARIABLE} is "{given}"; give a size such as 500M or 4G')
    return int(min(float(match[1]) * SIZE_UNITS[match[2].upper()], sys.maxsize))


def entries() -> list[Entry]:
    """What is kept, last used first."""
    found = []
    for path in folder().glob("*.safetensors"):
        with contextlib.suppress(OSError):  # another process may delete it meanwhile
            status = path.stat()
            found.append(Entry(path, status.st_size, status.st_mtime))
    return sorted(found, key=lambda e: e.used, reverse=True)


def path_of(key: str) -> Path:
    return folder() / f"{key}.safetensors"


def used(path: Path) -> None:
    """Note that a reference was read, so that it is kept longer."""
    with contextlib.suppress(OSError):
        os.utime(path)


def keep(path: Path, save: Callable[[Path], None]) -> None:
    """Let `save` write a reference to `path` if it fits; a full disk or a folder of somebody else costs time at the
    next edit, which a `Notice` says, and nothing else."""
    if limit() == 0:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path)
    except OSError as error:
        warnings.warn(
            Notice(f"the inversion is not kept in {path.parent}: {error.strerror or error}; {PLACE_VARIABLE} moves it"),
            stacklevel=2,
        )
    sweep()


def is_kept(key: str) -> bool:
    """Whether a reference of this key is there."""
    return os.path.exists(path_of(key))


def load(key: str, read: Callable[[Path], Kept]) -> Kept | None:
    """What `read` makes of the reference of a key; None if there is none. One that is damaged, of an older version or
    of somebody who lets nobody read it is None too, and goes if that is allowed."""
    path = path_of(key)
    if not is_kept(key):
        return None
    try:
        found = read(path)
    except ReferenceMismatch:
        _delete(path)
        return None
    except OSError:  # safetensors calls a file that may not be read missing
        if is_kept(key):  # else another process made room
            warnings.warn(Notice(f"the kept inversion {path} cannot be read, and is made again"), stacklevel=2)
        return None
    used(path)
    return found


def sweep() -> list[Entry]:
    """Delete what was used longest ago until the rest fits, and what killed processes left. Returns the
    references that were deleted."""
    gone = []
    with contextlib.suppress(OSError, Timeout), _locked():
        _sweep_unfinished()
        total, most = 0, limit()
        for entry in entries():
            total += entry.bytes
            if total > most:
                _delete(entry.path)
                gone.append(entry)
    return gone


def clear() -> list[Entry]:
    """Delete every reference, and what is known of files of weights. Returns the references that were deleted."""
    gone = entries()
    for entry in gone:
        _delete(entry.path)
    _delete(folder() / HASHES)
    _sweep_unfinished(0.0)
    return gone


def _locked() -> FileLock:
    """The lock of all who share the folder."""
    return FileLock(folder() / ".lock", timeout=LOCK_SECONDS, mode=usual_mode())


def _sweep_unfinished(age: float = UNFINISHED_SECONDS) -> None:
    for path in folder().glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime >= age:
                path.unlink()


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):  # gone already, or read by another process on Windows
        path.unlink()
