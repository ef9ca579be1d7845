"""With which model and under which prompt photos are edited, however that was asked. Heavy imports stay inside
functions: help needs this module."""

import functools
import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from inversion.errors import EditError, Notice, PhraseError
from inversion.phrases import find_phrase
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
class ModelRun:
    """The model and how it is used; `prompt` is what was said of the photo, if anything, and `said_in` where; `quiet`:
    nobody is told of notices."""

    which: ModelChoice
    prompt: str | None
    method: str
    steps: int
    seed: int
    quiet: bool = False
    said_in: str = FROM_OPTION

    @functools.cached_property
    def model(self) -> "DiffusionModel":
        """The model, opened when it is first asked for: loaded then too, unless it may not be needed.

        Raises:
            ModelError: it cannot be had, or has no such number of steps.
        """
        which = self.which
        quiet_libraries(notices=not self.quiet)
        from inversion.footprint import Memory
        from inversion.loading import open_model
        from inversion.weights import ModelSource

        source = ModelSource(which.model, which.revision, which.variant, which.offline)
        model = open_model(source, which.device, which.dtype, Memory(which.memory))
        if model.is_loaded:
            model.schedule(self.steps)  # wrong steps are told now, before any work
        return model

    def saying(self, prompt: str | None, said_in: str) -> Self:
        """The same with another prompt."""
        return self._with_model(replace(self, prompt=prompt, said_in=said_in))

    def sampling(self, method: str, steps: int, seed: int) -> Self:
        """The same with another inversion, number of steps and seed. Raises `StepsError`."""
        if self.model.is_loaded:
            self.model.schedule(steps)
        return self._with_model(replace(self, method=method, steps=steps, seed=seed))

    def _with_model(self, other: Self) -> Self:
        """Another of these, with the model if that is loaded: it is loaded once."""
        if "model" in vars(self):
            vars(other)["model"] = self.model
        return other

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


def _names(prompt: str, phrase: str) -> bool:
    """Whether a prompt names an object once, so that its words can be told from the others."""
    try:
        find_phrase(prompt, phrase)
    except PhraseError:
        return False
    return True


def quiet_libraries(*, notices: bool = True) -> None:
    """Keep other libraries' progress bars and advice off the user's terminal, and print our own notices as lines."""
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
