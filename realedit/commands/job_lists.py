"""The command for many edits that are listed in a file, and what can be asked about them. Heavy imports stay inside
functions: help needs this module."""

import json
import os
from dataclasses import replace
from pathlib import Path

import click

from realedit.commands.batch_options import (
    EngineOptions,
    ListOptions,
    RunFlags,
    accept_options,
    engine_options,
    list_options,
    run_flags,
)
from realedit.commands.options import FORCE, JSON, model_options
from realedit.commands.output_options import SIDECAR, Acceptance, FileOptions, file_options
from realedit.commands.parameter_types import FILE
from realedit.settings import ModelChoice


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
    from realedit.commands.batch_run import listed_jobs, run_listed
    from realedit.commands.edit_work import EditWork

    found = listed_jobs(jobs, listed, files, flags)
    results = flags.results or os.path.abspath(flags.out_dir)
    folder, which, files = Path(os.path.abspath(found.folder)), _from_anywhere(model_options), _readable(files)
    work = EditWork(folder, results, which, files, sidecar, accept)
    run_listed(found, work, hired, flags)


def _from_anywhere(which: ModelChoice) -> ModelChoice:
    """The same model for workers that may be at work in other folders."""
    here = which.model != ModelChoice().model and os.path.exists(which.model)
    return replace(which, model=os.path.abspath(which.model)) if here else which


def _readable(files: FileOptions) -> FileOptions:
    """The same certificates for them."""
    cert, key = (Path(os.path.abspath(path)) if path else None for path in (files.sign_cert, files.sign_key))
    return replace(files, sign_cert=cert, sign_key=key)


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
