"""The options of batches: how jobs are found, who does them, and where results go. Nothing heavy: help needs it."""

from dataclasses import dataclass
from pathlib import Path

import click

from realedit.commands.made_results import ALLOW_OUTSIDE
from realedit.commands.options import JSON, MAX_LPIPS, QUIET, Command, as_one
from realedit.commands.output_options import Acceptance
from realedit.commands.parameter_types import FILE


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
            "--time-limit", type=click.FloatRange(0.1), default=1800, show_default=True, help="Seconds a photo."
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
