"""The folder in which a running page keeps what it is given: for this user alone, and gone when the page ends."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX, LOCK = "realedit-page-", "lock"


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user can read, deleted at the end, with those that killed programs left."""
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(folder / LOCK)
    lock.acquire()
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Delete the folders in `parent` whose programs do not run any more: they hold no lock on them."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):  # in use, or another user's
            if folder.is_symlink() or not (folder / LOCK).is_file():
                continue
            lock = FileLock(folder / LOCK, timeout=0)
            with lock:
                shutil.rmtree(folder, ignore_errors=True)
