"""Many photos with one command: where each result goes, and what happens when one fails. Heavy imports
stay inside functions: help needs this module."""

import contextlib
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import ModelError, OutputError, RealEditError, first_line
from realedit.commands.context import RunOptions, print_line
from realedit.commands.gathering import Batch, BatchEntry, gather
from realedit.commands.output_options import EditOptions
from realedit.files.access import shown_name
from realedit.files.kinds import FORMATS, PHOTOS, PIPE, SUFFIXES

if TYPE_CHECKING:
    from realedit.commands.results import Outputs
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe


QUOTES = "\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"  # also those that a shell does not take for any


def check_names(photos: tuple[Path, ...], objects: tuple[str, ...]) -> None:
    """Refuse names that cannot be meant: a photo's file as an object, and photos that look like words.

    Raises:
        click.UsageError: an object was forgotten, or its words were not quoted.
    """
    for phrase in objects:
        if not phrase.strip():
            raise click.UsageError("OBJECT is empty; name what to edit after the photos")
        if phrase.lower().endswith(PHOTOS) or ("/" in phrase and os.path.exists(phrase)):
            raise click.UsageError(f'OBJECT is missing: "{phrase}" is a file; name what to edit after the photos')
    for path in photos:
        if path != PIPE and not path.suffix and not os.path.exists(path) and len(photos) > 1:
            words = f"{path.name} {' '.join(objects)}".strip(QUOTES)
            raise click.UsageError(f'{path} is no photo; put an object of several words in quotes, such as "{words}"')


def each(shared: RunOptions, batch: Batch, work: Callable[[BatchEntry], None]) -> None:
    """Do the work on every photo. Of many, a failure is said and does not stop the rest, whatever it is.

    Raises:
        RealEditError: with one photo its own error; with many, after all, that some failed. A model
            that cannot be had ends everything at once.
    """
    if not batch.many:
        work(batch.entries[0])
        return
    failed = 0
    for entry in batch.entries:
        try:
            work(entry)
        except (ModelError, click.ClickException):
            raise
        except Exception as error:
            failed += 1
            said = _said_of(error).removeprefix(f"{shown_name(entry.photo)} ")
            if shared.as_json:
                print_line(entry.photo, {"error": said})
            click.echo(f"realedit: {shown_name(entry.photo.name)}: {said}", err=True)
            if shared.verbose and not isinstance(error, RealEditError):
                traceback.print_exc()
    if failed:
        count = len(batch.entries)
        raise RealEditError(f"{failed} of {count} photos failed, as said above; the others are done")


def _said_of(error: Exception) -> str:
    if isinstance(error, RealEditError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{type(error).__name__}: {first_line(error)}"


def run_jobs(
    shared: RunOptions,
    paths: Sequence[Path],
    recipe_of: Callable[["PhotoFile"], "Recipe"],
    options: EditOptions,
    word: str,
    recipe_path: Path | None = None,
) -> None:
    """Make the same edits of every photo; `word` is added to the names of results that lie beside them, and
    `recipe_path` is the file that the recipe stands in, from whose folder its paths start."""
    folder, asked_by = (recipe_path.parent, (recipe_path,)) if recipe_path is not None else (Path(), ())

    def edit(item: BatchEntry, photo: "PhotoFile", outputs: "Outputs") -> None:
        from realedit.commands.edit_job import run_job
        from realedit.jobs.edit_job import EditJob

        outputs = replace(outputs, before_after=options.before_after, work=options.work)
        run_job(shared, EditJob(item.photo, photo, recipe_of(photo), folder, asked_by), outputs, options.accepted)

    for_each(shared, gather(shared, paths, options), options, word, edit)


def for_each(
    shared: RunOptions,
    batch: Batch,
    options: EditOptions,
    word: str,
    work: Callable[[BatchEntry, "PhotoFile", "Outputs"], None],
) -> None:
    """Open every photo and hand it on with where its result goes, unless that is there and to be kept."""
    from realedit.commands.results import Outputs

    written: set[Path] = set()

    def one(item: BatchEntry) -> None:
        from realedit.files.reading import PhotoFile

        with shared.reading(item.photo):
            photo = PhotoFile.open(item.photo)
        result = destination(item, photo, options, word)
        if options.skip_existing and os.path.exists(result):
            shared.say(f"{shown_name(result)} is there already")
            if batch.many and shared.as_json:
                print_line(item.photo, {"result": shown_name(result), "skipped": True})
            return
        if result in written:
            raise OutputError(f"{result} was just written, of another photo whose name ends otherwise; rename one")
        sidecar = options.sidecar and PIPE not in (item.photo, result)
        work(item, photo, Outputs(result, None, None, None, sidecar, options.files, batch.many, batch.photos))
        written.add(result)

    each(shared, batch, one)


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
    stem = "photo" if item.photo == PIPE else item.stem
    if options.out_dir is None:
        return item.photo.with_name(f"{stem}-{word}{suffix}")
    result = options.out_dir / item.place.parent / f"{stem}{suffix}"
    with contextlib.suppress(OSError):  # said by the check of outputs
        result.parent.mkdir(parents=True, exist_ok=True)
    return result


def _suffix_for(photo: "PhotoFile") -> str:
    from realedit.files.encoding import suffix_for

    return SUFFIXES.get(photo.format or "") or suffix_for(photo.photo)
