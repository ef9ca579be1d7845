"""Workers as actors of Ray, on this machine or a cluster: each loads its own once, and is started again by Ray where it
dies. Ray is imported when they are hired."""

import contextlib
import logging
import math
from dataclasses import dataclass, field
from typing import Any

from inversion.errors import ModelError, RealEditError, first_line
from realedit.batch.engine import Answer, Event, Lost, Ready, Started, Unable, Work, Worker

MOST_RESTARTS = 20  # of one actor by Ray itself; then another takes its place


class Actor:
    """What runs in an actor: the work, started."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._do: Started | None = None

    def start(self) -> tuple[str, int] | None:
        """Load what is slow to load. Returns why it cannot be, and the exit code of that."""
        try:
            self._do = self._do or self._work.start()
        except Exception as error:
            said = str(error) if isinstance(error, RealEditError) else f"{type(error).__name__}: {first_line(error)}"
            return said, error.exit_code if isinstance(error, RealEditError) else 1
        return None

    def do(self, job: Any) -> Any:
        """The answer to one job."""
        assert self._do is not None, "it was started again by Ray, and not by us"
        return self._do(job)


@dataclass
class _Hired:
    """An actor, and what it was last asked: to `start`, or to do a job; None once that is answered."""

    actor: Any
    asked: Any = None
    starting: bool = False


@dataclass
class RayWorkers:
    """As many actors as asked for (`count`), or else as the cluster has processors, or GPUs of which each takes so many
    (`gpus`). `address`: of a cluster; None: Ray is started on this machine, and ended with the run.

    Raises:
        ModelError: Ray is not installed.
        RealEditError: the cluster cannot be reached, or has no such resources.
    """

    work: Work
    count: int | None = None
    gpus: float | None = None
    address: str | None = None
    _hired: dict[Worker, _Hired] = field(default_factory=dict)
    _numbers: int = 0

    def __post_init__(self) -> None:
        try:
            import ray
        except ImportError as error:
            raise ModelError('--engine ray needs Ray: pip install "realedit[ray]"') from error
        self._ray, self._began = ray, not ray.is_initialized()
        if self._began:
            self._connect()
        there = ray.cluster_resources()
        own = there.get("GPU", 0) / self.gpus if self.gpus else there.get("CPU", 1)
        if own < 1:
            raise RealEditError(f"Ray has {there.get('GPU', 0):g} GPUs, a worker takes {self.gpus:g}; give it less")
        self._most = min(self.count or math.inf, int(own))
        own_processor = 0 if self.gpus else 1
        self._actor: Any = ray.remote(num_cpus=own_processor, num_gpus=self.gpus or 0, max_restarts=MOST_RESTARTS)(
            Actor
        )

    def _connect(self) -> None:
        local: dict[str, Any] = {} if self.address else {"include_dashboard": False, "num_cpus": self.count}
        try:
            self._ray.init(address=self.address, log_to_driver=False, logging_level=logging.CRITICAL, **local)
        except Exception as error:  # Ray has many, of which some are those of its parts
            raise RealEditError(
                f"Ray cannot be had at {self.address or 'this machine'}: {first_line(error)}"
            ) from error

    @property
    def most(self) -> int:
        return int(self._most)

    def begin(self) -> Worker:
        """Another actor; one that died and that Ray starts again is asked to load once more."""
        again = next((number for number, each in self._hired.items() if each.asked is None and each.starting), None)
        number = self._numbers if again is None else again
        if again is None:
            self._numbers += 1
            self._hired[number] = _Hired(self._actor.remote(self.work))
        each = self._hired[number]
        each.asked, each.starting = each.actor.start.options(max_task_retries=-1).remote(), True
        return number

    def hand(self, worker: Worker, job: Any) -> None:
        self._hired[worker].asked = self._hired[worker].actor.do.remote(job)

    def events(self, seconds: float) -> list[Event]:
        asked = {each.asked: number for number, each in self._hired.items() if each.asked is not None}
        if not asked:
            return []
        answered, _ = self._ray.wait(list(asked), num_returns=1, timeout=seconds)
        return [self._event(asked[reference]) for reference in answered]

    def kill(self, worker: Worker) -> None:
        """End the work of an actor, which Ray starts again."""
        each = self._hired[worker]
        each.asked, each.starting = None, True
        self._ray.kill(each.actor, no_restart=False)

    def close(self) -> None:
        for each in self._hired.values():
            with contextlib.suppress(Exception):  # it is gone already
                self._ray.kill(each.actor)
        self._hired.clear()
        if self._began:
            self._ray.shutdown()

    def _event(self, worker: Worker) -> Event:
        each = self._hired[worker]
        asked, each.asked = each.asked, None
        try:
            value = self._ray.get(asked)
        except self._ray.exceptions.RayActorError as error:
            if isinstance(error, self._ray.exceptions.ActorUnavailableError):
                each.starting = True  # Ray starts it again
            else:
                del self._hired[worker]
            return Lost(worker, "the actor died, or its machine is gone")
        except self._ray.exceptions.RayError as error:
            each.starting = True
            return Lost(worker, f"Ray: {first_line(error)}")
        if not each.starting:
            return Answer(worker, value)
        each.starting = False
        if value is None:
            return Ready(worker)
        self._ray.kill(each.actor)
        del self._hired[worker]
        return Unable(worker, *value)
