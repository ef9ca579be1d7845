"""The options with which a model is tried on an object of the user's own photo. Nothing heavy: help needs it."""

from dataclasses import dataclass
from pathlib import Path

import click

from realedit.commands.options import Command, as_one
from realedit.commands.parameter_types import FILE, WORDS


@dataclass(frozen=True)
class Calibration:
    """A photo, the words of an object in its prompt, and the object's mask: all or none of them."""

    photo: Path | None = None
    phrase: str | None = None
    mask: Path | None = None
    prompt: str | None = None

    def __post_init__(self) -> None:
        needed = (self.photo, self.phrase, self.mask)
        if (any(needed) or self.prompt) and not all(needed):
            raise click.UsageError(
                "--calibrate PHOTO needs --object WORDS and --mask PICTURE beside it, and they need it"
            )

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.photo, self.mask) if path is not None)


def calibration_options(command: Command) -> Command:
    """Options that name an object whose mask is known, handed on as one `Calibration`."""
    options = (
        click.option("--calibrate", "photo", type=FILE, help="A photo of yours in which words shall find an object."),
        click.option("--object", "phrase", type=WORDS, help="The object's words in the prompt of that photo."),
        click.option("--mask", type=FILE, help="Picture that is white where the object is."),
        click.option("--prompt", help="What the photo shows; default: the caption beside it."),
    )
    return as_one("calibration", Calibration, command, options)
