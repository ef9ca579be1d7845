"""The command for many edits that are listed in a file, and what can be asked about them. Heavy imports stay inside
functions: help needs this module."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import RealEditError
from realedit.commands.made_results import ALLOW_OUTSIDE
from realedit.commands.options import FORCE, JSON, MAX_LPIPS, QUIET, Command, as_one, model_options
from realedit.commands.output_options import SIDECAR, Acceptance, FileOptions, file_options
from realedit.commands.parameter_types import FILE
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from realedit.batch.job_list import JobList
    from realedit.batch.run import Progress

MOST_FAULTS = 50  # that are said; a wrong column makes as many as there are rows


class JobsOrCommand(click.Group):
    """A group whose first word is one of its commands, or else what the command `default` is given."""

    default = "run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=JobsOrCommand, subcommand_metavar="JOBS|COMMAND ...")
def batch() -> None:
    """Make the edits of a whole list: realedit batch JOBS --out-dir DIR.

    JOBS is a CSV, JSON Lines or Parquet file with a row for each result, or a folder of photos with one --recipe for
    all; `realedit batch run --help` lists the options, `realedit batch schema` the columns.
    """


@dataclass(frozen=True)
class ListOptions:
    """How jobs are found: where rows do not say it themselves."""

    recipe: Path | None = None
    mask_pattern: str | None = None
    allow_outside: bool = False


@dataclass(frozen=True)
class EngineOptions:
    """Who does the work, and how long it may take."""

    engine: str = "local"
    workers: int | None = None
    time_limit: float | None = None
    retries: int = 2
    gpus_per_worker: float | None = None
    ray_address: str | None = None


def list_options(command: Command) -> Command:
    """Options that say how jobs are found, handed on as one `ListOptions`."""
    options = (
        click.option("--recipe", type=FILE, help="TOML file with the edits of rows that say none, or of a folder."),
        click.option("--mask-pattern", metavar="NAME", help="Masks beside photos, such as '{stem}-mask.png'."),
        ALLOW_OUTSIDE,
    )
    return as_one("listed", ListOptions, command, options)


def engine_options(command: Command) -> Command:
    """Options that say who does the work, handed on as one `EngineOptions`."""
    options = (
        click.option("--engine", type=click.Choice(("local", "ray")), default="local", show_default=True),
        click.option("--workers", type=click.IntRange(1, 10_000), help="Default: as cores, memory and GPUs allow."),
        click.option(
            "--time-limit", type=click.FloatRange(0.1), default=900, show_default=True, help="Seconds a photo."
        ),
        click.option("--retries", type=click.IntRange(0, 10), default=2, show_default=True, help="Where it can help."),
        click.option("--gpus-per-worker", type=click.FloatRange(0), help="Ray: share of a GPU, such as 0.25."),
        click.option("--ray-address", help="Ray: a cluster; default: started on this machine."),
    )
    return as_one("hired", EngineOptions, command, options)


@dataclass(frozen=True)
class RunFlags:
    """Where results go, whether an earlier run is gone on with, and what is said."""

    out_dir: Path
    results: str | None = None
    resume: bool = False
    as_json: bool = False
    quiet: bool = False


def run_flags(command: Command) -> Command:
    options = (
        click.option("--out-dir", type=FILE, required=True, help="Folder for results and the manifest, batch.jsonl."),
        click.option("--results", metavar="URL", help="Shared storage for results instead: s3://bucket/folder."),
        click.option("--resume", is_flag=True, help="Go on: do what is missing, failed or changed since."),
        JSON,
        QUIET,
    )
    return as_one("flags", RunFlags, command, options)


def accept_options(command: Command) -> Command:
    """What a result must be, handed on as one `Acceptance`."""
    keep = click.option("--keep-going", is_flag=True, help="Write results that are judged to have failed too.")
    return as_one("accept", Acceptance, command, (MAX_LPIPS, keep))


@batch.command()
@click.argument("jobs", type=FILE)
@run_flags
@list_options
@engine_options
@accept_options
@SIDECAR
@file_options
@model_options
def run(
    jobs: Path,
    flags: RunFlags,
    listed: ListOptions,
    hired: EngineOptions,
    accept: Acceptance,
    sidecar: bool,
    files: FileOptions,
    model_options: ModelChoice,
) -> None:
    """Make the edits of a list, each once. The word `run` may be left out.

    Example: realedit batch jobs.csv --out-dir done --mask-pattern '{stem}-mask.png'
    """
    from realedit.commands.edit_work import EditWork

    found = _jobs(jobs, listed, files, flags)
    results = flags.results or os.path.abspath(flags.out_dir)
    work = EditWork(Path(os.path.abspath(found.folder)), results, model_options, files, sidecar, accept)
    _run(found, work, hired, flags)


def _jobs(path: Path, listed: ListOptions, files: FileOptions, flags: RunFlags) -> "JobList":
    """The jobs of a list or a folder, all checked.

    Raises:
        EditError: any is wrong; each fault is said before.
    """
    from realedit.batch.job_list import JobList, Naming
    from realedit.batch.row_recipe import RecipeReader
    from realedit.batch.rows import read_rows

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


def _photos(folder: Path, naming: Any, files: FileOptions, flags: RunFlags) -> Iterator[Any]:
    """A row for each photo of a folder, which holds masks too."""
    from realedit.batch.rows import Row
    from realedit.commands.gathering import photos_in, with_stems
    from realedit.commands.output_options import EditOptions

    photos, _ = photos_in(folder)
    names = [path.relative_to(folder) for path in photos]
    masks = {naming.mask_of(name.as_posix()) for name in names}
    places = [(name, name) for name in names if name.as_posix() not in masks]
    entries = with_stems(places, EditOptions(out_dir=flags.out_dir, files=files))
    for number, entry in enumerate(entries, 1):
        suffix = Path(naming.output_of(entry.photo.name)).suffix
        output = entry.place.with_name(entry.stem + suffix).as_posix()
        yield Row(number, {"photo": entry.photo.as_posix(), "output": output})


def _refuse(found: "JobList") -> None:
    """Say every fault, and raise if there is one."""
    for fault in found.faults[:MOST_FAULTS]:
        click.echo(f"realedit: {fault}", err=True)
    if len(found.faults) > MOST_FAULTS:
        click.echo(f"realedit: and {len(found.faults) - MOST_FAULTS} faults more", err=True)
    found.require_no_fault()


def _run(found: "JobList", work: Any, hired: EngineOptions, flags: RunFlags) -> None:
    from realedit.batch.engine import Engine
    from realedit.batch.manifest import History, Manifest, locked, manifest_path
    from realedit.batch.plan import Place, Plan
    from realedit.batch.run import Attempts, Progress
    from realedit.batch.run import run as run_all
    from realedit.commands.batch_progress import shown
    from realedit.files.writing import check_folder

    flags.out_dir.mkdir(parents=True, exist_ok=True)
    check_folder(flags.out_dir)
    with locked(flags.out_dir):
        if manifest_path(flags.out_dir).exists() and not flags.resume:
            raise RealEditError(
                f"{flags.out_dir} holds a batch already; go on with --resume, or give another --out-dir"
            )
        history = History.read(flags.out_dir)
        local = None if flags.results else flags.out_dir
        plan = Plan.of(found.jobs, history, Place(work.folder, local, work.options()))
        if local is not None and not work.files.force:
            found.faults += plan.in_the_way(history, local)
            _refuse(found)
        progress = Progress(len(plan.jobs))
        about = {
            "count": len(found.jobs),
            "folder": os.path.relpath(work.folder, flags.out_dir),
            "engine": hired.engine,
        }
        if plan.finished and not flags.quiet:
            click.echo(f"realedit: {plan.finished} of {len(found.jobs)} are done already", err=True)
        with contextlib.closing(Manifest(flags.out_dir)) as manifest, contextlib.ExitStack() as stack:
            engine = Engine(_workers(work, hired), hired.time_limit)
            stack.callback(engine.close)
            stack.enter_context(_stopping(progress, flags))
            told = stack.enter_context(shown(progress, quiet=flags.quiet))
            run_all(engine, plan.jobs, manifest, Attempts(work.options(), hired.retries, about), progress, told)
    _summary(progress, plan.finished, flags)


def _workers(work: Any, hired: EngineOptions) -> Any:
    if hired.engine == "ray":
        from realedit.batch.ray_workers import RayWorkers

        return RayWorkers(work, hired.workers, hired.gpus_per_worker, hired.ray_address)
    from realedit.batch.local_workers import LocalWorkers

    return LocalWorkers(work, hired.workers)


@contextlib.contextmanager
def _stopping(progress: "Progress", flags: RunFlags) -> Iterator[None]:
    """The first interruption stops after the photos in hand, the second at once."""

    def stop(number: int, frame: object) -> None:
        if progress.stop:
            raise KeyboardInterrupt
        progress.stop = True
        click.echo("realedit: finishing the photos in hand; interrupt again to stop at once", err=True)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nrealedit: {_go_on(flags)}", err=True)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _go_on(flags: RunFlags) -> str:
    return f"go on with the same command and --resume; realedit batch status {flags.out_dir} says how far it is"


def _summary(progress: "Progress", finished: int, flags: RunFlags) -> None:
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


@batch.command()
@click.argument("folder", type=FILE)
@JSON
def status(folder: Path, as_json: bool) -> None:
    """Count what is done, failed and left in the --out-dir of a batch.

    Example: realedit batch status done
    """
    from realedit.batch.status import Status

    found = Status.of(folder)
    click.echo(json.dumps(found.as_dict()) if as_json else found.to_text())


@batch.command()
@click.argument("folder", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The page: report.html.")
@click.option("--most", type=click.IntRange(1), default=1000, show_default=True, help="Results that are shown.")
@FORCE
def report(folder: Path, output: Path, most: int, force: bool) -> None:
    """Draw a page of before and after, worst first, to look through.

    Example: realedit batch report done -o report.html
    """
    from realedit.batch.page import page
    from realedit.files.writing import check_outputs, write_bytes

    check_outputs((), (output,), force=force, inputs=())
    write_bytes(page(folder, output, most), output)


@batch.command()
def schema() -> None:
    """Print the JSON schema of a row of a job list."""
    from realedit.batch.row_recipe import row_schema

    click.echo(json.dumps(row_schema(), indent=2))
