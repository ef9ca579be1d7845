"""A batch from its list to its last line: the jobs are found and checked, what is left of them is done, and what came
of it is said. No torch: that is for the workers."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import RealEditError
from realedit.batch.engine import Engine, Workers
from realedit.batch.job_list import JobList, Naming
from realedit.batch.manifest import History, Manifest, locked, manifest_path
from realedit.batch.plan import Place, Plan
from realedit.batch.row_recipe import RecipeReader
from realedit.batch.rows import Row, read_rows
from realedit.batch.run import Attempts, Progress, run
from realedit.commands.batch_options import EngineOptions, ListOptions, RunFlags
from realedit.commands.batch_progress import shown
from realedit.commands.gathering import photos_in, with_stems
from realedit.commands.output_options import EditOptions, FileOptions
from realedit.files.writing import check_folder, remove_unfinished

if TYPE_CHECKING:
    from realedit.commands.edit_work import EditWork

MOST_FAULTS = 50  # that are said; a wrong column makes as many as there are rows


def listed_jobs(path: Path, listed: ListOptions, files: FileOptions, flags: RunFlags) -> JobList:
    """The jobs of a list or a folder, all checked.

    Raises:
        EditError: any is wrong; each fault is said before.
    """
    naming = Naming(listed.mask_pattern, files.format)
    folder = path if os.path.isdir(path) else path.parent
    rows = _photos(path, naming, files, flags) if os.path.isdir(path) else read_rows(path)
    recipe = Path(os.path.abspath(listed.recipe)) if listed.recipe else None
    found = JobList.of(rows, RecipeReader(folder, recipe, outside=listed.allow_outside), naming)
    found.check_outputs_apart(flags.out_dir)
    _refuse(found)
    for name, purpose in found.models.items():
        click.echo(f"realedit: the job list asks for the {purpose} {name}", err=True)
    return found


def _photos(folder: Path, naming: Naming, files: FileOptions, flags: RunFlags) -> Iterator[Row]:
    """A row for each photo of a folder, which holds masks too."""
    photos, left = photos_in(folder)
    if left and not flags.quiet:
        click.echo(f"realedit: {left} pictures that earlier edits left are passed over", err=True)
    names = [path.relative_to(folder) for path in photos]
    masks = {naming.mask_of(name.as_posix()) for name in names}
    places = [(name, name) for name in names if name.as_posix() not in masks]
    entries = with_stems(places, EditOptions(out_dir=flags.out_dir, files=files))
    for number, entry in enumerate(entries, 1):
        suffix = Path(naming.output_of(entry.photo.name)).suffix
        output = entry.place.with_name(entry.stem + suffix).as_posix()
        yield Row(number, {"photo": entry.photo.as_posix(), "output": output})


def _refuse(found: JobList) -> None:
    """Say every fault, and raise if there is one."""
    for fault in found.faults[:MOST_FAULTS]:
        click.echo(f"realedit: {fault}", err=True)
    if len(found.faults) > MOST_FAULTS:
        click.echo(f"realedit: and {len(found.faults) - MOST_FAULTS} faults more", err=True)
    found.require_no_fault()


def run_listed(found: JobList, work: "EditWork", hired: EngineOptions, flags: RunFlags) -> None:
    """Do what is left of a list, and say what came of it.

    Raises:
        OutputError: another run is at work in the folder, or it cannot be written.
        RealEditError: the folder holds a batch already, or jobs failed.
        KeyboardInterrupt: the user stopped it.
    """
    flags.out_dir.mkdir(parents=True, exist_ok=True)
    check_folder(flags.out_dir)
    with locked(flags.out_dir), contextlib.ExitStack() as stack:
        plan = _plan(found, work, flags)
        progress = Progress(len(plan.jobs))
        if plan.finished and not flags.quiet:
            click.echo(f"realedit: {plan.finished} of {len(found.jobs)} are done already", err=True)
        manifest = stack.enter_context(contextlib.closing(Manifest(flags.out_dir)))
        if plan.jobs:
            for folder in {(flags.out_dir / job.output).parent for job in plan.jobs}:
                remove_unfinished(folder)
                stack.callback(remove_unfinished, folder)
            engine = Engine(_workers(work, hired), hired.time_limit)
            stack.callback(engine.close)
            stack.enter_context(_stopping(progress, flags))
            told = stack.enter_context(shown(progress, quiet=flags.quiet))
            way = os.path.relpath(work.folder, flags.out_dir)
            about = {"count": len(found.jobs), "folder": way, "engine": hired.engine}
            run(engine, plan.jobs, manifest, Attempts(work.options(), hired.retries, about), progress, told)
    _summary(progress, plan.finished, flags)


def _plan(found: JobList, work: "EditWork", flags: RunFlags) -> Plan:
    """What is left to do, once it is sure that nothing else would be replaced."""
    if manifest_path(flags.out_dir).exists() and not flags.resume:
        raise RealEditError(f"{flags.out_dir} holds a batch already; go on with --resume, or give another --out-dir")
    history = History.read(flags.out_dir)
    local = None if flags.results else flags.out_dir
    plan = Plan.of(found.jobs, history, Place(work.folder, local, work.options()))
    if local is not None and not work.files.force:
        found.faults += plan.in_the_way(history, local)
        _refuse(found)
    return plan


def _workers(work: "EditWork", hired: EngineOptions) -> Workers:
    if hired.engine == "ray":
        from realedit.batch.ray_workers import RayWorkers

        return RayWorkers(work, hired.workers, hired.gpus_per_worker, hired.ray_address)
    from realedit.batch.local_workers import LocalWorkers

    return LocalWorkers(work, hired.workers)


@contextlib.contextmanager
def _stopping(progress: Progress, flags: RunFlags) -> Iterator[None]:
    """The first interruption stops after the photos in hand, the second at once."""

    def stop(number: int, frame: object) -> None:
        if progress.stop:
            raise KeyboardInterrupt
        progress.stop = True
        click.echo("realedit: finishing the photos in hand; interrupt again to stop at once", err=True)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except (KeyboardInterrupt, RealEditError):
        click.echo(f"realedit: {_go_on(flags)}", err=True)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _go_on(flags: RunFlags) -> str:
    return f"go on with the same command and --resume; realedit batch status {flags.out_dir} says how far it is"


def _summary(progress: Progress, finished: int, flags: RunFlags) -> None:
    """Say what came of a run.

    Raises:
        RealEditError: a job failed, or was not done.
        KeyboardInterrupt: the user stopped it.
    """
    for job, said in progress.errors[:MOST_FAULTS]:
        click.echo(f"realedit: {job.id}: {said}", err=True)
    counts = {"done": progress.done, "failed": progress.failed, "left": progress.left, "before": finished}
    if flags.as_json:
        click.echo(json.dumps(counts))
    if progress.hopeless is not None:
        raise RealEditError(
            f"stopped, {progress.done} of {progress.count} done: {progress.hopeless}; then {_go_on(flags)}"
        )
    if progress.stop and progress.left:
        click.echo(f"realedit: {progress.done} of {progress.count} done; {_go_on(flags)}", err=True)
        raise KeyboardInterrupt
    if progress.failed:
        raise RealEditError(f"{progress.failed} of {progress.count} photos failed, {progress.done} are done")
    if not flags.quiet:
        click.echo(f"realedit: all {progress.count} photos are done", err=True)
