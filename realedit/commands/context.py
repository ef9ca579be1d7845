"""What commands share when they run: the values of their common options, the model, the prompt, and who is told of
stages. Heavy imports stay inside functions: help needs this module."""

import functools
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import EditError, Notice
from realedit.commands.options import Command, seeing_options
from realedit.commands.progress import ShowStage, reading, stages
from realedit.files.kinds import PIPE
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from inversion.model import DiffusionModel
    from realedit.files.photo import Photo
    from realedit.files.reading import PhotoFile


@dataclass(frozen=True)
class RunOptions:
    """The values of the options that every command with a model shares."""

    which: ModelChoice
    prompt: str | None
    method: str
    steps: int
    seed: int
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    @functools.cached_property
    def model(self) -> "DiffusionModel":
        """The model, loaded when it is first asked for.

        Raises:
            ModelError: it cannot be had, or has no such number of steps.
        """
        which = self.which
        quiet_libraries(notices=not self.quiet)
        from inversion.footprint import Memory
        from inversion.loading import load_model

        model = load_model(
            which.model,
            which.device,
            which.dtype,
            revision=which.revision,
            variant=which.variant,
            offline=which.offline,
            memory=Memory(which.memory),
        )
        model.schedule(self.steps)  # wrong steps are told now, before any work
        return model

    def say(self, text: str, *, when: bool = True) -> None:
        if when and not self.quiet:
            click.echo(f"realedit: {text}", err=True)

    def prompt_of(
        self, path: Path, photo: "Photo | PhotoFile", assumed: str | None = None, *, other: bool = False
    ) -> str:
        """The prompt, from the option, a text beside the photo, or its description; else `assumed`. The message of
        what lacks names the options for the photo, or for the `other` that something is taken from.

        Raises:
            EditError: there is none.
        """
        text_file = path.with_suffix(".txt")
        if self.prompt:
            return self.prompt
        if text_file.is_file():
            text = text_file.read_text(encoding="utf-8", errors="replace").strip()
            if text:
                return text
        if photo.description or assumed:
            return photo.description or assumed or ""
        option, mark = ("--from-prompt", "--from-") if other else ("--prompt", "--")
        raise EditError(
            f'no prompt for {path.name}: say what it shows with {option} "a photo of ...", or in '
            f"{text_file.name} beside it, or mark the object with {mark}mask, {mark}box or {mark}point"
        )

    def stages(self) -> AbstractContextManager[ShowStage]:
        """Show on stderr which stage a run is in. The first of all is that the model is loaded: it comes within a
        second, since torch is imported then."""
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
        own = {f.name: values.pop(f.name) for f in fields(RunOptions) if f.name != "which"}
        return command(shared=RunOptions(values.pop("model_options"), **own), **values)

    return wrapped


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    """The path of a result that lies beside a photo, or in the current folder if that came through a pipe."""
    stem = "photo" if path == PIPE else path.stem
    return path.with_name(f"{stem}-{word}{suffix or path.suffix}")


def quiet_libraries(*, notices: bool = True) -> None:
    """Keep other libraries' progress bars and advice off the user's terminal, and print our own notices as lines."""
    import logging
    import os
    import warnings

    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    if notices:
        warnings.simplefilter("once", Notice)
        warnings.showwarning = _show  # type: ignore[assignment]


def _show(message: Warning | str, *where: object) -> None:
    click.echo(f"realedit: {message}", err=True)
