"""What is left to do of a list of jobs: what is missing, failed, or changed since it was done. No torch."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from realedit.batch.job import Job, content_hash, stamp
from realedit.batch.job_list import Fault
from realedit.batch.manifest import DONE, FAILED, History, Last
from realedit.files.sidecar import sidecar_path


class Why(StrEnum):
    """Why a job is to be done."""

    NEW = "new"
    UNFINISHED = "unfinished"
    FAILED = "failed"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True)
class Place:
    """Where jobs read and write: the `folder` of the job list, and that of results, None on shared storage, where what
    the manifest says is believed; `options` is all else that decides about results, as text."""

    folder: Path
    results: Path | None
    options: str


@dataclass(frozen=True)
class Plan:
    """The jobs to do, in the order of their list, how many of each reason, and how many are `finished` already."""

    jobs: tuple[Job, ...]
    reasons: dict[Why, int]
    finished: int

    @classmethod
    def of(cls, jobs: Sequence[Job], history: History, place: Place) -> "Plan":
        todo, reasons = [], dict.fromkeys(Why, 0)
        for job in jobs:
            why = _why(job, history.jobs.get(job.id), place)
            if why is not None:
                todo.append(job)
                reasons[why] += 1
        return cls(tuple(todo), reasons, len(jobs) - len(todo))

    def in_the_way(self, history: History, results: Path) -> list[Fault]:
        """The files that its results would replace, and that no run before began."""
        there: Callable[[Path], bool] = os.path.lexists
        faults = []
        for job in self.jobs:
            path = results / job.output
            if job.output not in history.outputs and (there(path) or there(sidecar_path(path))):
                said = f"{path if there(path) else sidecar_path(path)} already exists; use --force to replace it"
                faults.append(Fault(job.line, said))
        return faults


def _why(job: Job, last: Last | None, place: Place) -> Why | None:
    if last is None:
        return Why.NEW
    if last.state != DONE:
        return Why.FAILED if last.state == FAILED else Why.UNFINISHED
    if last.recipe != job.recipe_hash(place.options):
        return Why.CHANGED
    if place.results is not None and not os.path.isfile(place.results / job.output):
        return Why.MISSING
    inputs = job.inputs(place.folder)
    return Why.CHANGED if last.stamp != stamp(inputs) and last.input != content_hash(inputs) else None
