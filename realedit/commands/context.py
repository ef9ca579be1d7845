"""What commands share when they run: the values of their common options, the model, the prompt, and who is told of
stages. Heavy imports stay inside functions: help needs this module."""

import functools
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import EditError, Notice, PhraseError
from inversion.phrases import find_phrase
from realedit.commands.options import Command, seeing_options
from realedit.commands.progress import ShowStage, reading, stages
from realedit.files.access import shown_name
from realedit.files.captions import (
    FROM_FILE,
    FROM_METADATA,
    FROM_OPTION,
    MADE_UP,
    Prompt,
    caption_beside,
    described_caption,
)
from realedit.files.kinds import PIPE
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from inversion.model import DiffusionModel
    from realedit.files.photo import Photo
    from realedit.files.reading import PhotoFile


@dataclass(frozen=True)
class RunOptions:
    """The values of the options that every command with a model shares; `said_in`: where the prompt was given."""

    which: ModelChoice
    prompt: str | None
    method: str
    steps: int
    seed: int
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    said_in: str = FROM_OPTION

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

    def told(self, prompt: str | None, said_in: str) -> "RunOptions":
        """The same with another prompt, and with the model if that is loaded."""
        other = replace(self, prompt=prompt, said_in=said_in)
        if "model" in vars(self):
            vars(other)["model"] = self.model
        return other

    def say(self, text: str, *, when: bool = True) -> None:
        if when and not self.quiet:
            click.echo(f"realedit: {text}", err=True)

    def announce(self, models: Mapping[str, str], said_by: str) -> None:
        """Say, also where nothing else is said, which models are loaded because a file asks for them: names, and what
        each is for."""
        for name, purpose in models.items():
            click.echo(f"realedit: {said_by} asks for the {purpose} {shown_name(name)}", err=True)

    def prompt_of(
        self,
        path: Path,
        photo: "Photo | PhotoFile",
        phrases: Sequence[str] = (),
        assumed: str | None = None,
        *,
        other: bool = False,
    ) -> Prompt:
        """The prompt, from the option, else a caption beside the photo or in its metadata, else `assumed`. A caption,
        which is found by chance, gives way to what is assumed unless it names all the `phrases`. The message of what
        lacks names the options for the photo, or for the `other` that something is taken from.

        Raises:
            EditError: there is none.
        """
        if self.prompt:
            return Prompt(self.prompt, self.said_in)
        beside_it = None if path == PIPE else caption_beside(path)
        texts = {FROM_FILE: beside_it, FROM_METADATA: described_caption(photo.description)}
        captions = [Prompt(text, source) for source, text in texts.items() if text]
        best = max(captions, key=lambda each: sum(_names(each.text, p) for p in phrases), default=None)
        if assumed and not (best and all(_names(best.text, phrase) for phrase in phrases)):
            return Prompt(assumed, MADE_UP)
        if best is not None:
            return best
        option, mark = ("--from-prompt", "--from-") if other else ("--prompt", "--")
        found = (photo.description or "").strip("\0 \r\n\t")
        raise EditError(
            f'no prompt for {shown_name(path.name)}: say what it shows with {option} "a photo of ...", or in '
            f"{shown_name(path.with_suffix('.txt').name)} beside it, or mark the object with {mark}mask, {mark}box or "
            f"{mark}point" + (f' (its metadata say "{found[:40]}", which is no caption)' if found else "")
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
        own = {f.name: values.pop(f.name) for f in fields(RunOptions) if f.name in values}
        return command(shared=RunOptions(values.pop("model_options"), **own), **values)

    return wrapped


def _names(prompt: str, phrase: str) -> bool:
    """Whether a prompt names an object once, so that its words can be told from the others."""
    try:
        find_phrase(prompt, phrase)
    except PhraseError:
        return False
    return True


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    """The path of a result that lies beside a photo, or in the current folder if that came through a pipe."""
    stem = "photo" if path == PIPE else path.stem
    return path.with_name(f"{stem}-{word}{suffix or path.suffix}")


def print_line(photo: Path | None, said: dict[str, object]) -> None:
    """A line of JSON about one of many photos."""
    click.echo(json.dumps({"photo": shown_name(photo) if photo is not None else None, **said}))


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
