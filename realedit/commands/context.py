"""What commands share when they run: the values of their common options, and who is told of stages. Heavy imports stay
inside functions: help needs this module."""

import functools
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from realedit.commands.options import Command, seeing_options
from realedit.commands.progress import ShowStage, reading, stages
from realedit.files.access import shown_name
from realedit.files.kinds import PIPE
from realedit.jobs.model_run import ModelRun


@dataclass(frozen=True)
class RunOptions(ModelRun):
    """The values of the options that every command with a model shares: also how results are printed."""

    as_json: bool = False
    verbose: bool = False

    def say(self, text: str, *, when: bool = True) -> None:
        if when and not self.quiet:
            click.echo(f"realedit: {text}", err=True)

    def announce(self, models: Mapping[str, str], said_by: str) -> None:
        """Say, also where nothing else is said, which models are loaded because a file asks for them: names, and what
        each is for."""
        for name, purpose in models.items():
            click.echo(f"realedit: {said_by} asks for the {purpose} {shown_name(name)}", err=True)

    def stages(self) -> AbstractContextManager[ShowStage]:
        """Show on stderr which stage a run is in. The first comes within a second, before torch is imported."""
        return stages(quiet=self.quiet)

    def reading(self, path: Path) -> AbstractContextManager[None]:
        """Show on a terminal that a photo is read and checked."""
        return reading(path, quiet=self.quiet)

    @property
    def loading(self) -> str:
        """The name of the stage in which the model is loaded."""
        return f"loading {self.which.model}"


def run_options(command: Command) -> Command:
    """Hand the shared options to a command as one `RunOptions`."""

    @seeing_options
    @functools.wraps(command)
    def wrapped(**values: Any) -> Any:
        own = {f.name: values.pop(f.name) for f in fields(RunOptions) if f.name in values}
        return command(shared=RunOptions(values.pop("model_options"), **own), **values)

    return wrapped


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    """The path of a result that lies beside a photo, or in the current folder if that came through a pipe."""
    stem = "photo" if path == PIPE else path.stem
    return path.with_name(f"{stem}-{word}{suffix or path.suffix}")


def print_line(photo: Path | None, said: dict[str, object]) -> None:
    """A line of JSON about one of many photos."""
    click.echo(json.dumps({"photo": shown_name(photo) if photo is not None else None, **said}))
