"""Workers as processes of this machine, each started fresh and loading its own. A pool of the standard library would
break as a whole when the system kills one, and knows no time limit. No torch."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess, parent_process
from typing import Any

import psutil

from inversion.errors import RealEditError, first_line
from realedit.batch.engine import Answer, Event, Lost, Ready, Unable, Work, Worker

ROOM_TO_WORK = 3.0  # of the memory that a worker holds when it has loaded (measured: 1.3 at 1 megapixel, 3 at 12)
USED_AT_MOST = 0.9  # of the memory that is free
READY, UNABLE, ANSWER = range(3)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Process:
    process: BaseProcess
    pipe: Connection


class LocalWorkers:
    """As many processes as asked for (`count`), or else one for each GPU, or as cores and memory allow; that is known
    when the first is ready, which starts alone."""

    def __init__(self, work: Work, count: int | None = None) -> None:
        self._pickled, self._count = pickle.dumps(work), count
        self._most, self._gpus = 1, 0
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[Worker, _Process] = {}

    @property
    def most(self) -> int:
        return self._most

    def begin(self) -> Worker:
        here, there = self._context.Pipe()
        number = next(k for k in range(len(self._workers) + 1) if k not in self._workers)
        arguments = (there, self._pickled, self._environment(number))
        process = self._context.Process(target=_serve, args=arguments, daemon=True)
        process.start()
        there.close()
        self._workers[number] = _Process(process, here)
        return number

    def hand(self, worker: Worker, job: Any) -> None:
        with contextlib.suppress(OSError):  # it has just ended: said as an event
            self._workers[worker].pipe.send(job)

    def events(self, seconds: float) -> list[Event]:
        if not self._workers:
            return []
        pipes = {each.pipe: number for number, each in self._workers.items()}
        return [self._event(pipes[pipe]) for pipe in wait(list(pipes), seconds)]  # type: ignore[index]

    def kill(self, worker: Worker) -> None:
        each = self._workers.pop(worker)
        each.process.kill()
        each.process.join()
        each.pipe.close()

    def close(self) -> None:
        for worker in list(self._workers):
            self.kill(worker)

    def _environment(self, number: int) -> dict[str, str]:
        """Of a worker: processes of many threads slow each other down, and each GPU serves one."""
        own = {} if self._count == 1 or "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": "1"}
        if self._gpus < 2:
            return own
        every = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(self._gpus)))
        return own | {"CUDA_VISIBLE_DEVICES": every.split(",")[number % self._gpus]}

    def _event(self, worker: Worker) -> Event:
        """What a worker says; that it is gone, if its end of the pipe is closed."""
        each = self._workers[worker]
        try:
            kind, value = each.pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self.kill(worker)
            return Lost(worker, _how_it_ended(each.process.exitcode))
        if kind == READY:
            if self._most == 1:
                held, self._gpus = value
                self._most = self._count or self._gpus or _as_many(held)
            return Ready(worker)
        if kind == UNABLE:
            self.kill(worker)
            return Unable(worker, *value)
        return Answer(worker, value)


def _as_many(held: int) -> int:
    """How many processes cores and memory allow, if one holds so many bytes before it works."""
    free = psutil.virtual_memory().available * USED_AT_MOST + held
    return max(1, min(_cores(), int(free / (held * ROOM_TO_WORK))))


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the worker was killed ({name})" + (", maybe for want of memory" if name == "SIGKILL" else "")
    return f"the worker ended by itself (exit code {code})"


def _serve(pipe: Connection, pickled: bytes, environment: dict[str, str]) -> None:
    """What a worker does: start, and answer jobs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; who began the run decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(environment)
    try:
        work: Work = pickle.loads(pickled)
        do = work.start()
    except Exception as error:
        code = error.exit_code if isinstance(error, RealEditError) else 1
        pipe.send((UNABLE, (str(error) if isinstance(error, RealEditError) else _named(error), code)))
        return
    pipe.send((READY, (psutil.Process().memory_info().rss, do.gpus)))
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send((ANSWER, do(pipe.recv())))


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"


def _end_with_parent() -> None:
    """End at once when who began the run is gone, so that a later run finds nobody at work."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
