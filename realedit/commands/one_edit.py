"""One edit of every photo: the recipe of what was asked, and the options that say where."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.commands.batch import run_jobs
from realedit.commands.context import RunOptions
from realedit.commands.options import EditOptions, as_one
from realedit.commands.parameter_types import FILE, POINT, SHIFT, Coordinates
from realedit.files.recipe import EditEntry, Recipe, Region, SourcePhotoEntry

if TYPE_CHECKING:
    from realedit.files.photo import Photo as LoadedPhoto

PHOTO_ARGUMENT = click.argument("photos", type=FILE, nargs=-1, required=True, metavar="PHOTO...")
OBJECT_ARGUMENT = click.argument("object")


@dataclass(frozen=True)
class Target:
    """Where an object goes, `to` a place or `by` a distance, and how it is scaled on the way."""

    to: Coordinates | None = None
    by: Coordinates | None = None
    scale: float = 1.0

    def values(self, photo: "LoadedPhoto") -> dict[str, Any]:
        """As the fields of a recipe's item for a photo."""
        return {"to": pair(self.to, photo), "by": pair(self.by, photo), "scale": self.scale}


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
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
    object: str | None,
    item_of: Callable[["LoadedPhoto"], EditEntry],
    options: EditOptions,
    word: str,
    others: dict[str, SourcePhotoEntry] | None = None,
) -> None:
    """Make one edit of every photo; `word` is added to the names of results."""

    def recipe_of(photo: "LoadedPhoto") -> Recipe:
        where = where_of(options, photo)
        return Recipe(
            edit=(item_of(photo),),
            prompt=shared.prompt,
            where={object: where} if where is not None and object is not None else {},
            photos=others or {},
            method=shared.method,
            steps=shared.steps,
            seed=shared.seed,
            pitch=options.pitch,
        )

    run_jobs(shared, photos, recipe_of, options, word)


def where_of(options: EditOptions, photo: "LoadedPhoto") -> Region | None:
    """Where the user says the object is; a mask goes before a box, a box before a point."""
    if options.segmenter is not None and options.point is None:
        raise click.UsageError("--segmenter is asked what lies at a point; give one with --point")
    if options.mask is not None:
        return Region(mask=str(options.mask))
    if options.box is not None:
        return Region(box=options.box.fractions(photo.size))  # type: ignore[arg-type]
    if options.point is not None:
        return Region(point=pair(options.point, photo), segmenter=options.segmenter)
    return None


def pair(numbers: Coordinates | None, photo: "LoadedPhoto") -> tuple[float, float] | None:
    """Numbers as typed as fractions of a photo."""
    return None if numbers is None else numbers.fractions(photo.size)[:2]  # type: ignore[return-value]
