"""The photos that a command names: those of folders, without what earlier runs left there, and the names of their
results, so that no two are one file. Heavy imports stay inside functions: help needs this module."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from inversion.errors import OutputError, PhotoError
from realedit.commands.context import RunOptions
from realedit.commands.output_options import EditOptions
from realedit.files.access import shown_name
from realedit.files.kinds import PHOTOS, PIPE, edited_suffix


@dataclass(frozen=True)
class BatchEntry:
    """A photo, its `place` below the folder that was given, or just its name, and the `stem` of its result."""

    photo: Path
    place: Path
    stem: str


@dataclass(frozen=True)
class Batch:
    """The photos of one run. `many`: what is said of one says which it is, however many there are: several were named,
    or a folder."""

    entries: tuple[BatchEntry, ...]
    many: bool

    @property
    def photos(self) -> tuple[Path, ...]:
        return tuple(entry.photo for entry in self.entries)


def gather(shared: RunOptions, paths: Sequence[Path], options: EditOptions) -> Batch:
    """The photos that paths name, each once; a folder names all photos in it and in its folders, but for what an
    earlier run left there, which is said.

    Raises:
        PhotoError: a folder holds none.
        OutputError: two results would have one name.
        click.UsageError: options are for one photo, and there are several.
    """
    found: dict[str, tuple[Path, Path]] = {}
    for path in paths:
        folder = path != PIPE and os.path.isdir(path)
        for photo in _photos_in(shared, path) if folder else [path]:
            place = photo.relative_to(path) if folder else Path(photo.name)
            found.setdefault("-" if photo == PIPE else os.path.realpath(photo), (photo, place))
    many = len(found) > 1 or any(path != PIPE and os.path.isdir(path) for path in paths)
    if list(paths).count(PIPE) > 1:
        raise click.UsageError("standard input holds one photo; name - once")
    if len(found) > 1 and (options.output or options.before_after or options.work):
        raise click.UsageError("-o, --before-after and --work are for one photo; give --out-dir for several")
    return Batch(with_stems(tuple(found.values()), options), many)


def photos_in(folder: Path) -> tuple[list[Path], int]:
    """The photos of a folder and its folders, and how many pictures there were left by earlier edits.

    Raises:
        PhotoError: there is no photo.
    """
    from realedit.files.earlier import left_by_earlier_run

    inside = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTOS and _shown(p, folder))
    photos = [p for p in inside if not left_by_earlier_run(p)]
    left = len(inside) - len(photos)
    if not photos:
        but = f", but {left} pictures that earlier edits left; name them to edit those again" if left else ""
        raise PhotoError(f"the folder {shown_name(folder)} holds no photos{but}")
    return photos, left


def _photos_in(shared: RunOptions, folder: Path) -> list[Path]:
    photos, left = photos_in(folder)
    shared.say(f"{left} pictures that earlier edits left in {shown_name(folder)} are passed over", when=left > 0)
    return photos


def _shown(path: Path, folder: Path) -> bool:
    return os.path.isfile(path) and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def with_stems(found: Sequence[tuple[Path, Path]], options: EditOptions) -> tuple[BatchEntry, ...]:
    """Photos and their places as entries, so that no two results are one file: where names differ by their endings
    alone and the results' would not, they tell of what kind the photos were.

    Raises:
        OutputError: two photos of different folders have one name, under which both would go to --out-dir.
    """
    entries: dict[tuple[Path, str], BatchEntry] = {}
    places: dict[Path, Path] = {}
    for photo, place in found:
        if options.out_dir is not None and places.setdefault(place, photo) is not photo:
            raise OutputError(
                f"{places[place]} and {photo} would both be written as {place}; rename one, or edit a folder at a time"
            )
        own = place.suffix.removeprefix(".").lower()
        stem, number = place.stem, 1
        folder = place.parent if options.out_dir is not None else photo.parent
        while (folder, _alike(f"{stem}{edited_suffix(place, options.files.format)}")) in entries:
            stem = f"{place.stem}-{own}" + (f"-{number}" if number > 1 else "")
            number += 1
        entries[folder, _alike(f"{stem}{edited_suffix(place, options.files.format)}")] = BatchEntry(photo, place, stem)
    return tuple(entries.values())


def _alike(name: str) -> str:
    """The same for names that some file systems take for one."""
    return unicodedata.normalize("NFC", name).casefold()
