"""Many photos with one command: where each result goes, and what happens when one fails. Heavy imports
stay inside functions: help needs this module."""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import ModelError, OutputError, PhotoError, RealEditError
from realedit.commands.context import RunOptions
from realedit.commands.output_options import EditOptions
from realedit.files.kinds import FORMATS, PHOTOS, PIPE, SUFFIXES

if TYPE_CHECKING:
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe


@dataclass(frozen=True)
class BatchEntry:
    """A photo, and its `place` below the folder that was given, or just its name."""

    photo: Path
    place: Path


def gather(paths: Sequence[Path]) -> list[BatchEntry]:
    """The photos that paths name; a folder names all photos in it and in its folders.

    Raises:
        PhotoError: a folder holds none.
    """
    items = []
    for path in paths:
        if not path.is_dir() or path == PIPE:
            items.append(BatchEntry(path, Path(path.name)))
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in PHOTOS and _shown(p, path))
        if not inside:
            raise PhotoError(f"the folder {path} holds no photos")
        items += [BatchEntry(p, p.relative_to(path)) for p in inside]
    return items


def _shown(path: Path, folder: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def check_names(photos: tuple[Path, ...], objects: tuple[str, ...]) -> None:
    """Refuse names that cannot be meant: a photo's file as an object, and photos that look like words.

    Raises:
        click.UsageError: an object was forgotten, or its words were not quoted.
    """
    for phrase in objects:
        if phrase.lower().endswith(PHOTOS) or ("/" in phrase and Path(phrase).exists()):
            raise click.UsageError(f'OBJECT is missing: "{phrase}" is a file; name what to edit after the photos')
    for path in photos:
        if path != PIPE and not path.suffix and not path.exists() and len(photos) > 1:
            words = f"{path.name} {' '.join(objects)}"
            raise click.UsageError(f'{path} is no photo; put an object of several words in quotes, such as "{words}"')


def check_places(items: Sequence[BatchEntry]) -> None:
    """Raises `OutputError` if two results would have one name."""
    seen: dict[Path, Path] = {}
    for item in items:
        key = item.place.with_suffix("")
        if key in seen:
            raise OutputError(f"{seen[key]} and {item.photo} would both be written as {item.place}; rename one")
        seen[key] = item.photo


def each(shared: RunOptions, items: Sequence[BatchEntry], work: Callable[[BatchEntry], None]) -> None:
    """Do the work on every photo. With several, a failure is said and does not stop the rest.

    Raises:
        RealEditError: with one photo its own error; with several, after all, that some failed. A model
            that cannot be had ends everything at once.
    """
    if len(items) == 1:
        work(items[0])
        return
    failed = 0
    for item in items:
        try:
            work(item)
        except ModelError:
            raise
        except (RealEditError, MemoryError) as error:
            failed += 1
            said = str(error) or "out of memory"
            if shared.as_json:
                click.echo(json.dumps({"photo": str(item.photo), "error": said}))
            click.echo(f"realedit: {item.photo.name}: {said.removeprefix(f'{item.photo} ')}", err=True)
    if failed:
        raise RealEditError(f"{failed} of {len(items)} photos failed, as said above; the others are done")


def run_jobs(
    shared: RunOptions,
    paths: Sequence[Path],
    recipe_of: Callable[["PhotoFile"], "Recipe"],
    options: EditOptions,
    word: str,
    folder: Path = Path(),
) -> None:
    """Make the same edits of every photo; `word` is added to the names of results that lie beside them, and `folder`
    is what the recipe's paths start from."""
    items = gather(paths)

    def edit(item: BatchEntry, photo: "PhotoFile", result: Path) -> None:
        from realedit.commands.edit_job import EditJob, run_job
        from realedit.commands.results import Outputs

        outputs = Outputs(
            result,
            options.before_after,
            options.work,
            sidecar=options.sidecar and PIPE not in (item.photo, result),
            files=options.files,
            one_of_many=len(items) > 1,
        )
        run_job(shared, EditJob(item.photo, photo, recipe_of(photo), folder), outputs, options.accepted)

    for_each(shared, items, options, word, edit)


def for_each(
    shared: RunOptions,
    items: Sequence[BatchEntry],
    options: EditOptions,
    word: str,
    work: Callable[[BatchEntry, "PhotoFile", Path], None],
) -> None:
    """Open every photo and hand it on with the path of its result, unless that is there and to be kept."""
    _check_options(items, options)

    def one(item: BatchEntry) -> None:
        from realedit.files.reading import PhotoFile

        with shared.reading(item.photo):
            photo = PhotoFile.open(item.photo)
        result = destination(item, photo, options, word)
        if options.skip_existing and result.exists():
            shared.say(f"{result} is there already")
            return
        work(item, photo, result)

    each(shared, items, one)


def _check_options(items: Sequence[BatchEntry], options: EditOptions) -> None:
    if len(items) > 1:
        if options.output or options.before_after or options.work:
            raise click.UsageError("-o, --before-after and --work are for one photo; give --out-dir for several")
        if options.out_dir is not None:
            check_places(items)
    if [item.photo for item in items].count(PIPE) > 1:
        raise click.UsageError("standard input holds one photo; name - once")


def destination(item: BatchEntry, photo: "PhotoFile", options: EditOptions, word: str) -> Path:
    """Where the result of a photo goes. The folder is made if it lies below --out-dir."""
    if options.output is not None:
        return options.output
    if item.photo == PIPE and options.out_dir is None:
        return PIPE
    own = item.place.suffix
    if options.files.format:
        suffix = f".{options.files.format}"
    else:
        suffix = own if FORMATS.get(own.lower()) == photo.format else _suffix_for(photo)
    stem = "photo" if item.photo == PIPE else item.place.stem
    if options.out_dir is None:
        return item.photo.with_name(f"{stem}-{word}{suffix}")
    result = options.out_dir / item.place.parent / f"{stem}{suffix}"
    with contextlib.suppress(OSError):  # said by the check of outputs
        result.parent.mkdir(parents=True, exist_ok=True)
    return result


def _suffix_for(photo: "PhotoFile") -> str:
    from realedit.files.encoding import suffix_for

    return SUFFIXES.get(photo.format or "") or suffix_for(photo.photo)
