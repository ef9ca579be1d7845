"""A whole run: the plan's jobs through an engine into the manifest, with failures counted and tried again where that
may help. No torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from realedit.batch.engine import Ended, Engine
from realedit.batch.job import Job
from realedit.batch.manifest import DONE, FAILED, RUN, STARTED, Manifest
from realedit.batch.outcome import Outcome

SHRINK = (
    2  # by which the number of jobs at once is divided in each round of further attempts: memory may have been short
)

Told = Callable[["Progress"], None]


@dataclass
class Progress:
    """How far a run is: `done` and `failed` of `count` jobs, attempts that are made again (`retried`), and whether it
    shall `stop` after the jobs in hand, and why (`hopeless`, where nothing more would work)."""

    count: int
    done: int = 0
    failed: int = 0
    retried: int = 0
    stop: bool = False
    hopeless: str | None = None
    errors: list[tuple[Job, str]] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.count - self.done - self.failed


@dataclass(frozen=True)
class Attempts:
    """How rows of a run are written: the `options` that hashes count in, how often a job is tried again (`retries`),
    and what is said of all in the row of the run (`about`)."""

    options: str
    retries: int = 2
    about: dict[str, Any] = field(default_factory=dict)


def run(engine: Engine, jobs: Sequence[Job], manifest: Manifest, how: Attempts, progress: Progress, told: Told) -> None:
    """Do all jobs, or as many as can be done before `progress` says to stop, which `told` is told of after each.

    Raises:
        ModelError: the model cannot be had.
        OutputError: the manifest cannot be written.
    """
    manifest.add(RUN, how.about)
    in_hand = engine.workers.most
    for attempt in range(1, how.retries + 2):
        last, again = attempt > how.retries, []
        most = None if attempt == 1 else max(1, in_hand // SHRINK ** (attempt - 1))
        for ended in engine.run(_handed_out(jobs, manifest, attempt, progress), len(jobs), most):
            outcome = _outcome(ended)
            retry = outcome.again and not last and not progress.stop and not outcome.hopeless
            manifest.add(FAILED if outcome.error else DONE, _row(ended, outcome, attempt, how.options))
            _count(progress, ended.job, outcome, retry=retry)
            if retry:
                again.append(ended.job)
            told(progress)
        in_hand = engine.workers.most
        if progress.stop or not again:
            return
        jobs = again


def _handed_out(jobs: Sequence[Job], manifest: Manifest, attempt: int, progress: Progress) -> Iterator[Job]:
    """Jobs one by one, each noted when it is taken, until the run shall stop."""
    for job in jobs:
        if progress.stop:
            return
        manifest.add(STARTED, {"id": job.id, "attempt": attempt, "output": job.output})
        yield job


def _outcome(ended: Ended[Job]) -> Outcome:
    """A lost job may be tried again: what killed it may have been another's fault."""
    if ended.lost is not None:
        return Outcome(ended.lost, again=True)
    assert isinstance(ended.answer, Outcome)
    return ended.answer


def _row(ended: Ended[Job], outcome: Outcome, attempt: int, options: str) -> dict[str, Any]:
    job = ended.job
    row = {"id": job.id, "attempt": attempt, "photo": job.photo, "output": job.output}
    row |= {"recipe": job.recipe_hash(options), **outcome.values, "seconds": round(ended.seconds, 3)}
    return row | ({"error": outcome.error} if outcome.error else {})


def _count(progress: Progress, job: Job, outcome: Outcome, *, retry: bool) -> None:
    if retry:
        progress.retried += 1
    elif outcome.error is None:
        progress.done += 1
    else:
        progress.failed += 1
        progress.errors.append((job, outcome.error))
    if outcome.hopeless:
        progress.stop, progress.hopeless = True, outcome.error
