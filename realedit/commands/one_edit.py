"""One edit of every photo: the recipe of what was asked, and the options that say where. Heavy imports stay inside
functions: help needs this module."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import EditError
from realedit.commands.batch import check_names, run_jobs
from realedit.commands.context import RunOptions
from realedit.commands.marks import SourceOptions
from realedit.commands.options import Command, as_one
from realedit.commands.output_options import EditOptions
from realedit.commands.parameter_types import FILE, NUMBER, POINT, SHIFT, WORDS, Coordinates
from realedit.files.access import as_text, shown_name
from realedit.jobs.result_names import RESULT_WORDS

if TYPE_CHECKING:
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe

PHOTO_ARGUMENT = click.argument("photos", type=FILE, nargs=-1, required=True, metavar="PHOTO...")
OBJECT_ARGUMENT = click.argument("object", type=WORDS)


@dataclass(frozen=True)
class Target:
    """Where an object goes, `to` a place or `by` a distance, and how it is scaled on the way."""

    to: Coordinates | None = None
    by: Coordinates | None = None
    scale: float = 1.0


def target_options(command: Command) -> Command:
    """Hand where an object goes to a command as one `Target`.

    Raises:
        click.UsageError: none or both of the two ways to say it are given.
    """

    @functools.wraps(command)
    def checked(*, target: Target, **values: Any) -> Any:
        if (target.to is None) == (target.by is None):
            raise click.UsageError("give either --to X,Y or --by DX,DY")
        return command(target=target, **values)

    options = (
        click.option("--to", type=POINT, help="Where the object's centre goes."),
        click.option("--by", type=SHIFT, help="How far it is shifted."),
        click.option("--scale", type=NUMBER, default=1.0, show_default=True, help="Enlarge or shrink it on the way."),
    )
    return as_one("target", Target, checked, options)


def run_each(
    shared: RunOptions,
    photos: tuple[Path, ...],
    entry: dict[str, Any],
    options: EditOptions,
    others: dict[str, dict[str, Any]] | None = None,
) -> None:
    """Make one edit of every photo: `entry`, which a recipe would list so, but for coordinates, which are as typed;
    `others` is what a recipe would say of other photos.

    Raises:
        EditError: the edit is impossible.
    """

    def recipe_of(photo: "PhotoFile") -> "Recipe":
        from realedit.files.recipe import Recipe

        where = options.marks.where()
        values = {
            "edit": [entry],
            "prompt": shared.prompt,
            "where": {entry["object"]: where} if where else {},
            "photos": {name: in_fractions(told, _measured(name, told)) for name, told in (others or {}).items()},
            **options.drawn(),
            "method": shared.method,
            "steps": shared.steps,
            "seed": shared.seed,
            "pitch": options.pitch,
            **options.scene.recipe(),
        }
        return Recipe.model_validate(in_unicode(in_fractions(values, photo.size)))

    check_names(photos, tuple(entry[key] for key in ("object", "other") if key in entry))
    run_jobs(shared, photos, recipe_of, options, RESULT_WORDS[entry["kind"]])


def in_unicode(value: Any) -> Any:
    """A value, and what it holds, with all names of files as text, as which recipes keep them.

    Raises:
        EditError: one is not UTF-8.
    """
    if isinstance(value, dict):
        return {in_unicode(key): in_unicode(part) for key, part in value.items()}
    if isinstance(value, list):
        return [in_unicode(part) for part in value]
    try:
        return as_text(value) if isinstance(value, str) else value
    except UnicodeError:
        raise EditError(f"the name {shown_name(value)} is not UTF-8; rename that file") from None


def taken_from(taken: SourceOptions) -> dict[str, dict[str, Any]]:
    """What a recipe would say of the photo that something is taken from, coordinates as typed."""
    return {str(taken.source): {"prompt": taken.from_prompt, "where": taken.marks.where()}}


def _measured(name: str, told: dict[str, Any]) -> tuple[int, int]:
    """The size of another photo, which is read where something in it is marked in pixels; else none is needed."""
    from realedit.files.reading import load_photo

    where = told.get("where") or {}
    marks = [where.get("box"), where.get("point")]
    typed = [m for mark in marks for m in (mark if isinstance(mark, list) else [mark])]
    return load_photo(Path(name)).size if any(m is not None and m.pixels for m in typed) else (1, 1)


def in_fractions(value: Any, size: tuple[int, int]) -> Any:
    """A value, and what it holds, with all coordinates as fractions of a photo of this (width, height)."""
    if isinstance(value, Coordinates):
        return value.fractions(size)
    if isinstance(value, dict):
        return {key: in_fractions(part, size) for key, part in value.items()}
    return [in_fractions(part, size) for part in value] if isinstance(value, list) else value
