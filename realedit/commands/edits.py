"""Commands that edit one object, or two: each writes the one-edit recipe of what was asked, and runs it."""

from pathlib import Path

import click

from realedit.commands.context import RunOptions, run_options
from realedit.commands.marks import SourceOptions, source_options
from realedit.commands.one_edit import (
    OBJECT_ARGUMENT,
    PHOTO_ARGUMENT,
    Target,
    in_unicode,
    run_each,
    taken_from,
    target_options,
)
from realedit.commands.output_options import PITCH, EditOptions, edit_options, result_options, scene_options
from realedit.commands.parameter_types import NUMBER, POINT, WORDS, Coordinates


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@target_options
@PITCH
@scene_options
@edit_options
@run_options
def move(shared: RunOptions, photos: tuple[Path, ...], object: str, target: Target, options: EditOptions) -> None:
    """Move an object to another place.

    Example: realedit move photo.png "red ball" --to 0.7,0.6 -o moved.png
    """
    run_each(shared, photos, {"kind": "move", "object": object, **vars(target)}, options)


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@target_options
@PITCH
@scene_options
@edit_options
@run_options
def duplicate(shared: RunOptions, photos: tuple[Path, ...], object: str, target: Target, options: EditOptions) -> None:
    """Draw an object a second time.

    Example: realedit duplicate photo.png "red ball" --by 0.2,0 -o two.png
    """
    run_each(shared, photos, {"kind": "duplicate", "object": object, **vars(target)}, options)


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@click.option("--scale", type=NUMBER, required=True, help="2 doubles its width and height.")
@PITCH
@scene_options
@edit_options
@run_options
def resize(shared: RunOptions, photos: tuple[Path, ...], object: str, scale: float, options: EditOptions) -> None:
    """Enlarge or shrink an object where it stands.

    Example: realedit resize photo.png "blue can" --scale 1.4 -o larger.png
    """
    run_each(shared, photos, {"kind": "resize", "object": object, "scale": scale}, options)


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@scene_options
@edit_options
@run_options
def remove(shared: RunOptions, photos: tuple[Path, ...], object: str, options: EditOptions) -> None:
    """Take an object away, with its shadow and reflection.

    Example: realedit remove photo.png "blue can" -o without.png
    """
    run_each(shared, photos, {"kind": "remove", "object": object}, options)


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@click.argument("other", type=WORDS)
@PITCH
@scene_options
@result_options
@run_options
def swap(shared: RunOptions, photos: tuple[Path, ...], object: str, other: str, options: EditOptions) -> None:
    """Let two objects change places.

    Example: realedit swap photo.png "red ball" "blue can" -o swapped.png
    """
    run_each(shared, photos, {"kind": "swap", "object": object, "other": other}, options)


@click.command()
@PHOTO_ARGUMENT
@OBJECT_ARGUMENT
@click.option("--as", "words", type=WORDS, required=True, help="The object in its new look.")
@edit_options
@run_options
def restyle(shared: RunOptions, photos: tuple[Path, ...], object: str, words: str, options: EditOptions) -> None:
    """Give an object a new look from words; its shape and place stay.

    Example: realedit restyle photo.png "red can" --as "striped blue can"
    """
    run_each(shared, photos, {"kind": "restyle", "object": object, "as": words}, options)


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO... [OBJECT]")
@source_options
@click.option("--whole", is_flag=True, help="The look of the whole other photo for the whole of this one.")
@edit_options
@run_options
def transfer(
    shared: RunOptions, photos: tuple[str, ...], taken: SourceOptions, whole: bool, options: EditOptions
) -> None:
    """Give an object the look of an object in another photo; its shape and place stay.

    Example: realedit transfer photo.png "red ball" --from other.png --from-object "striped can"
    """
    paths = tuple(Path(p) for p in photos)
    if whole:
        if options.marks or taken.marks or options.before_after or options.work or options.max_lpips or options.drawn():
            raise click.UsageError("--whole changes all of the photo: it takes no region, and writes the result alone")
        from realedit.commands.generation_batch import transfer_whole

        transfer_whole(shared, paths, taken.source, in_unicode(taken.from_prompt), options)
        return
    if len(photos) == 1:
        raise click.UsageError("name an OBJECT of the photo, or give --whole without one")
    entry = {"kind": "transfer", "object": photos[-1], "from": str(taken.source), "from_object": taken.from_object}
    run_each(shared, paths[:-1], entry, options, taken_from(taken))


@click.command()
@PHOTO_ARGUMENT
@source_options
@click.option("--to", type=POINT, required=True, help="Where the object's centre goes.")
@click.option("--scale", type=NUMBER, default=1.0, show_default=True, help="1: as large against the shorter side.")
@scene_options
@result_options
@run_options
def compose(
    shared: RunOptions,
    photos: tuple[Path, ...],
    taken: SourceOptions,
    to: Coordinates,
    scale: float,
    options: EditOptions,
) -> None:
    """Set an object of another photo into this one. Several at once: a recipe with insert edits.

    Example: realedit compose room.png --from shop.png --from-object "red vase" --to 0.3,0.6
    """
    source, named = str(taken.source), taken.from_object
    entry = {"kind": "insert", "from": source, "from_object": named, "to": to, "scale": scale}
    run_each(shared, photos, entry, options, taken_from(taken))
