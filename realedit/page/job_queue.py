"""One job at a time, in a thread of its own, in the order in which they are asked; each can be stopped, also while it
waits."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from inversion.errors import RealEditError, first_line
from inversion.interruption import stopped_by

OUT_OF_MEMORY = "out of memory; start realedit ui with --memory lean, or give a smaller photo"


class Stopped(Exception):
    """Raised inside a job that is to stop."""


class State(StrEnum):
    """How far a job is, or how it ended."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(eq=False)
class Job:
    """Some `work` for one page: what it is (`kind`), how far it is (the `stage` and how many steps of it are done), and
    its `state`; `error` tells why it failed."""

    number: int
    owner: object
    kind: str
    work: Callable[["Job"], None]
    changed: Callable[[], None]
    state: State = State.WAITING
    stage: str = ""
    step: int = 0
    error: str | None = None
    previews: int = 0
    preview: bytes | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def show(self, stage: str) -> None:
        """Told of a stage, and of each of its steps.

        Raises:
            Stopped: the job is to stop.
        """
        self.check()
        self.step = self.step + 1 if stage == self.stage else 0
        self.stage = stage
        self.changed()

    def check(self) -> None:
        """Asked wherever work may stop.

        Raises:
            Stopped: the job is to stop.
        """
        if self._stop.is_set():
            raise Stopped

    def show_preview(self, picture: bytes) -> None:
        """Keep an early picture, encoded, for the page."""
        self.preview, self.previews = picture, self.previews + 1
        self.changed()

    def stop(self) -> None:
        """Ask it to stop at its next step, or wherever it may stop between them."""
        self._stop.set()

    def run(self) -> None:
        """Do the work, and note how it ended."""
        try:
            self.state = State.RUNNING
            self.show("starting")
            with stopped_by(self.check):
                self.work(self)
            self.state = State.DONE
        except Stopped:
            self.state = State.STOPPED
        except Exception as error:  # whatever it is, the page is told and the next job runs
            self.state, self.error = State.FAILED, _told(error)
            if not isinstance(error, RealEditError):
                traceback.print_exc()
        self.changed()


def _told(error: Exception) -> str:
    if isinstance(error, RealEditError):
        return str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "memory" in str(error)):
        return OUT_OF_MEMORY
    return f"{type(error).__name__}: {first_line(error)}"


class JobQueue:
    """The jobs that wait and the one that runs."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._wake = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="edits")
        self._thread.start()

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        with self._wake:
            self._jobs.append(job)
            self._wake.notify_all()
        job.changed()

    def ahead_of(self, job: Job) -> int:
        """How many jobs are to be done before a job."""
        with self._wake:
            return self._jobs.index(job) if job in self._jobs else 0

    def stop(self, which: Callable[[Job], bool]) -> None:
        """Stop jobs: those that wait at once, the one that runs at its next step."""
        with self._wake:
            stopped = [job for job in self._jobs if which(job)]
            for job in stopped:
                job.stop()
                if job.state is State.WAITING:
                    job.state = State.STOPPED
            self._jobs = [job for job in self._jobs if job.state is not State.STOPPED]
            told = {id(job.owner): job for job in [*stopped, *self._jobs]}
        for job in told.values():
            job.changed()

    def end(self) -> None:
        """Stop all jobs, and take no more."""
        self._ended = True
        self.stop(lambda job: True)
        with self._wake:
            self._wake.notify_all()
        self._thread.join(timeout=2)

    def _work(self) -> None:
        while not self._ended:
            with self._wake:
                self._wake.wait_for(lambda: self._jobs or self._ended)
                if self._ended:
                    return
                job = self._jobs[0]
            job.run()
            with self._wake:
                self._jobs = [other for other in self._jobs if other is not job]
                waiting = {id(other.owner): other for other in self._jobs}
            for other in waiting.values():
                other.changed()
