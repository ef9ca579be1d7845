"""One edit of every photo: the recipe of what was asked, and the options that say where. Heavy imports stay inside
functions: help needs this module."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.commands.batch import check_names, run_jobs
from realedit.commands.context import RunOptions
from realedit.commands.options import Command, as_one
from realedit.commands.output_options import EditOptions
from realedit.commands.parameter_types import FILE, POINT, SHIFT, Coordinates

if TYPE_CHECKING:
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe

PHOTO_ARGUMENT = click.argument("photos", type=FILE, nargs=-1, required=True, metavar="PHOTO...")
OBJECT_ARGUMENT = click.argument("object")


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
        click.option("--scale", type=float, default=1.0, show_default=True, help="Enlarge or shrink it on the way."),
    )
    return as_one("target", Target, checked, options)


def run_each(
    shared: RunOptions,
    photos: tuple[Path, ...],
    entry: dict[str, Any],
    options: EditOptions,
    word: str,
    others: dict[str, dict[str, Any]] | None = None,
) -> None:
    """Make one edit of every photo: `entry`, which a recipe would list so, but for coordinates, which are as typed.
    `word` is added to the names of results; `others` is what a recipe would say of other photos.

    Raises:
        EditError: the edit is impossible.
    """

    def recipe_of(photo: "PhotoFile") -> "Recipe":
        from realedit.files.recipe import Recipe

        where = where_of(options)
        values = {
            "edit": [entry],
            "prompt": shared.prompt,
            "where": {entry["object"]: where} if where else {},
            "photos": others or {},
            "method": shared.method,
            "steps": shared.steps,
            "seed": shared.seed,
            "pitch": options.pitch,
        }
        return Recipe.model_validate(in_fractions(values, photo))

    check_names(photos, tuple(entry[key] for key in ("object", "other") if key in entry))
    run_jobs(shared, photos, recipe_of, options, word)


def where_of(options: EditOptions) -> dict[str, Any] | None:
    """Where the user says the object is, as a recipe would; a mask goes before a box, a box before a point."""
    if options.mask is not None:
        return {"mask": str(options.mask)}
    if options.box is not None:
        return {"box": options.box}
    if options.point is not None:
        return {"point": options.point, "segmenter": options.segmenter}
    return None


def in_fractions(value: Any, photo: "PhotoFile") -> Any:
    """A value, and what it holds, with all coordinates as fractions of a photo."""
    if isinstance(value, Coordinates):
        return value.fractions(photo.size)
    if isinstance(value, dict):
        return {key: in_fractions(part, photo) for key, part in value.items()}
    return [in_fractions(part, photo) for part in value] if isinstance(value, list) else value
