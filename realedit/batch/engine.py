"""Work on many jobs at once, whatever the work is and wherever it is done: jobs go in one by one as workers become
free, and what came of them comes out. What dies or hangs takes one job with it. No torch."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from inversion.errors import ModelError, RealEditError

J = TypeVar("J")
TICK = 0.5  # seconds after which the loop looks at its clocks, if nothing happens
DEATHS_IN_A_ROW = 4  # of workers that never got ready: then none will
UNABLE_TO_HAVE_MODEL = 3  # the exit code of ModelError, which comes from a worker as a number


class Started(Protocol):
    """What is called with every job, and does not raise for what is wrong with one; jobs and answers are pickled.
    `gpus`: how many there are that it may use, each for one worker; 0 if it uses none."""

    @property
    def gpus(self) -> int: ...

    def __call__(self, job: Any, /) -> Any: ...


class Work(Protocol):
    """What every worker is given, pickled; it loads what is slow to load when it is started, once by each."""

    def start(self) -> Started: ...


Worker = int
"""The number of a worker, as those who start it count."""


@dataclass(frozen=True)
class Ready:
    """A worker has started."""

    worker: Worker


@dataclass(frozen=True)
class Answer:
    """A worker has done its job, and is free."""

    worker: Worker
    value: Any


@dataclass(frozen=True)
class Unable:
    """A worker says that it cannot start, and would not the next time; it is gone."""

    worker: Worker
    said: str
    exit_code: int


@dataclass(frozen=True)
class Lost:
    """A worker is gone, with the job in its hands if it had one."""

    worker: Worker
    said: str


Event = Ready | Answer | Unable | Lost


class Workers(Protocol):
    """Those who work: processes of this machine, or actors of a cluster."""

    @property
    def most(self) -> int:
        """How many there may be at once, as far as is known by now."""
        ...

    def begin(self) -> Worker:
        """Start another one; `Ready` follows."""
        ...

    def hand(self, worker: Worker, job: Any) -> None:
        """Give a job to a free worker; `Answer` or `Lost` follows."""
        ...

    def events(self, seconds: float) -> list[Event]:
        """What happened; waits as long if nothing did."""
        ...

    def kill(self, worker: Worker) -> None:
        """End a worker at once; no event follows."""
        ...

    def close(self) -> None:
        """End all of them."""
        ...


@dataclass(frozen=True)
class Ended(Generic[J]):
    """A job that is out of hand after so many `seconds`, with its `answer`, or with what happened instead (`lost`)."""

    job: J
    seconds: float
    answer: Any = None
    lost: str | None = None


class Engine:
    """Hands jobs to workers. `time_limit`: seconds that one may take."""

    def __init__(self, workers: Workers, time_limit: float | None = None) -> None:
        self.workers, self.time_limit = workers, time_limit
        self._starting: set[Worker] = set()
        self._free: list[Worker] = []
        self._deaths = 0
        self._room = sys.maxsize  # for workers, as those tell that cannot start beside others

    def run(self, jobs: Iterator[J], count: int, most: int | None = None) -> Iterator[Ended[J]]:
        """What comes of jobs, as it comes: `count` of them, or fewer, of which at most so many are in hand at once. The
        next job is taken when a worker is free for it.

        Raises:
            ModelError: workers cannot load what they need.
            RealEditError: none starts.
        """
        in_hand: dict[Worker, tuple[J, float]] = {}
        left, limit = count, most or count
        while True:
            while left and self._free and len(in_hand) < limit:
                job = next(jobs, None)
                if job is None:
                    left = 0
                    break
                worker, left = self._free.pop(), left - 1
                in_hand[worker] = job, time.monotonic()
                self.workers.hand(worker, job)
            if not in_hand and not left:
                return
            self._begin_more(min(limit, left + len(in_hand)), len(in_hand))
            for event in self.workers.events(TICK):
                ended = self._after(event, in_hand)
                if ended is not None:
                    yield ended
            yield from self._overdue(in_hand)

    def close(self) -> None:
        self.workers.close()

    def _begin_more(self, wanted: int, busy: int) -> None:
        there = busy + len(self._free) + len(self._starting)
        for _ in range(min(wanted, self.workers.most, self._room) - there):
            self._starting.add(self.workers.begin())

    def _after(self, event: Event, in_hand: dict[Worker, tuple[J, float]]) -> Ended[J] | None:
        worker = event.worker
        self._starting.discard(worker)
        if isinstance(event, Unable):
            self._room = len(in_hand) + len(self._free)
            if self._room:
                return None
            raise (ModelError if event.exit_code == UNABLE_TO_HAVE_MODEL else RealEditError)(event.said)
        if isinstance(event, Ready):
            self._deaths = 0
            self._free.append(worker)
            return None
        if worker in in_hand:
            job, began = in_hand.pop(worker)
            seconds = time.monotonic() - began
            if isinstance(event, Answer):
                self._free.append(worker)
                return Ended(job, seconds, event.value)
            return Ended(job, seconds, lost=event.said)
        assert isinstance(event, Lost)
        if worker in self._free:
            self._free.remove(worker)
            return None
        self._deaths += 1
        if self._deaths >= DEATHS_IN_A_ROW:
            raise RealEditError(f"no worker starts: {self._deaths} ended before they were ready ({event.said})")
        return None

    def _overdue(self, in_hand: dict[Worker, tuple[J, float]]) -> Iterator[Ended[J]]:
        if self.time_limit is None:
            return
        now = time.monotonic()
        for worker, (job, began) in list(in_hand.items()):
            if now - began > self.time_limit:
                self.workers.kill(worker)
                del in_hand[worker]
                yield Ended(job, now - began, lost=f"took longer than {self.time_limit:g} s")
