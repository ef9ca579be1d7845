"""What came of every job: one append-only JSON Lines file in the folder of results, which is the truth about it. A row
when a run begins, when a job is handed out, and when an attempt ends. No torch."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from inversion.errors import EditError, OutputError

MANIFEST, LOCK = "batch.jsonl", ".batch.lock"
SYNCED_EVERY = 1.0  # seconds after which rows are on the disk, also if the machine stops; processes may end at any time
RUN, STARTED, DONE, FAILED = "run", "started", "done", "failed"


def manifest_path(folder: Path) -> Path:
    return folder / MANIFEST


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder of results.

    Raises:
        OutputError: one is at work there.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputError(f"another batch is at work in {folder}; wait for it, or give another --out-dir") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(slots=True)
class Last:
    """The last that is known of a job: its state, the hashes of its recipe and its inputs, their `stamp`, and how many
    attempts there were."""

    state: str
    recipe: str = ""
    input: str = ""
    stamp: str = ""
    attempts: int = 0


@dataclass
class History:
    """What a manifest tells: the last of every job by its id, every result that was ever begun, and the last run."""

    jobs: dict[str, Last] = field(default_factory=dict)
    outputs: set[str] = field(default_factory=set)
    run: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "History":
        """Raises `EditError` if the manifest is none."""
        found = cls()
        for row in rows_of(folder):
            found.add(row)
        return found

    def add(self, row: dict[str, Any]) -> None:
        if row["state"] == RUN:
            self.run = row
            return
        last = self.jobs.setdefault(row["id"], Last(STARTED))
        if row["state"] == STARTED:
            last.attempts += 1
            self.outputs.add(row["output"])
        if row["state"] != STARTED or last.state != DONE:
            last.state = row["state"]
        if row["state"] == DONE:
            last.recipe, last.input, last.stamp = row["recipe"], row["input"], row["stamp"]


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of a folder's manifest, none if there is no file; an unfinished last line is left out.

    Raises:
        EditError: another line is damaged, or it cannot be read.
    """
    path = manifest_path(folder)
    if not path.exists():
        return
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    row = json.loads(line)
                    row["state"]
                except (ValueError, KeyError, TypeError) as error:
                    raise EditError(f"{path}, line {number}, is no row of a manifest; take it out") from error
                yield row
    except OSError as error:
        raise EditError(f"{path} cannot be read: {error.strerror}") from error


class Manifest:
    """The manifest of a folder, open for one run. Used under `locked`.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = manifest_path(folder)
        self._synced = time.monotonic()
        try:
            self._cut_unfinished()
            self._file: BinaryIO = open(self.path, "ab", buffering=0)  # noqa: SIM115  # closed by `close`
        except OSError as error:
            raise self._full(error) from error

    def _cut_unfinished(self) -> None:
        """Take away a last line that was not finished."""
        if not self.path.is_file():
            return
        with open(self.path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            kept = size
            while kept:
                file.seek(kept - 1)
                if file.read(1) == b"\n":
                    break
                kept -= 1
            if kept < size:
                file.truncate(kept)

    def add(self, state: str, values: dict[str, Any]) -> dict[str, Any]:
        """Append a row, whole or not at all. Returns it.

        Raises:
            OutputError: it cannot be written, as when the disk is full.
        """
        row = {"state": state, "time": round(time.time(), 3), **values}
        data = json.dumps(row).encode() + b"\n"
        try:
            began = os.fstat(self._file.fileno()).st_size
            if self._file.write(data) != len(data):
                os.ftruncate(self._file.fileno(), began)
                raise OSError(28, "No space left on device")
            if time.monotonic() - self._synced > SYNCED_EVERY:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._full(error) from error
        return row

    def close(self) -> None:
        self._file.close()

    def _full(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self.path}: {error.strerror or error}")
