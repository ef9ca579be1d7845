"""Write files whole or not at all, and never over anything that matters."""

import contextlib
import io
import os
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from inversion.errors import OutputError, RealEditError, first_line
from inversion.file_mode import usual_mode
from realedit.files.access import read_file
from realedit.files.encoding import Saving, encode, format_of
from realedit.files.kinds import PIPE
from realedit.files.metadata import Metadata
from realedit.files.photo import Photo
from realedit.files.provenance import TYPES, Parent, Signer
from realedit.files.xmp import BY_PRODUCT, DigitalSourceType

UNFINISHED = ".realedit-"  # how the name begins of a file that is being written: short, whatever it will be called
LONGEST_NAME = 255  # bytes, where the system does not say


def save_photo(
    photo: Photo,
    path: Path | str,
    saving: Saving = Saving(),
    signer: Signer | None = None,
    parent: Parent | None = None,
) -> None:
    """Write a photo, whole or not at all, over what is there; the name's ending says the format, and "-" is standard
    output, in the photo's own. With a `signer` it carries content credentials that name the `parent`.

    Raises:
        OutputError: the format is unknown, or the file cannot be written.
    """
    write_bytes(photo_file(photo, Path(path), saving, signer, parent), Path(path))


def photo_file(
    photo: Photo, path: Path, saving: Saving, signer: Signer | None = None, parent: Parent | None = None
) -> bytes:
    """What `save_photo` writes.

    Raises:
        OutputError: the format is unknown, or cannot hold the photo.
    """
    kind = saving.kind(path, photo)
    try:
        data = encode(photo, kind, saving)
    except RealEditError:
        raise
    except (ValueError, OSError, OverflowError) as error:  # metadata that this format cannot hold, a side too long
        raise OutputError(f"cannot write {path.name} as {kind}: {first_line(error)}; another format may do") from error
    if signer is None:
        return data
    mark = saving.mark or (DigitalSourceType.EDITED if parent else DigitalSourceType.GENERATED)
    return signer.sign(data, kind, mark, parent)


def parent_of(path: Path, photo: Photo, saving: Saving) -> Parent:
    """What content credentials name as the original of an edit: the photo's file, or where that has no
    credentials of its kind, came through a pipe, or may tell a place that is to be left out, the photo as PNG."""
    kind = photo.origin.format
    if path != PIPE and kind in TYPES and not saving.strip_place:
        return Parent(read_file(path), kind)
    return Parent(encode(photo, "PNG", replace(saving, mark=None)), "PNG")


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a picture that is no photo, such as a contact sheet, in the format of its name."""
    save_photo(Photo(np.asarray(sheet.convert("RGB")), metadata=Metadata(xmp=BY_PRODUCT)), path, Saving(mark=None))


def save_mask(inside: np.ndarray, path: Path) -> None:
    """Write a mask (H, W) as a grey PNG, white where it holds."""
    data, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", BY_PRODUCT.decode())
    Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(data, "PNG", compress_level=1, pnginfo=info)
    write_bytes(data.getvalue(), path)


def write_bytes(data: bytes, path: Path) -> None:
    """Write a file, whole or not at all, or to standard output.

    Raises:
        OutputError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    if path == PIPE:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error
        return
    part = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
            part = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, usual_mode())
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Take away what writers left in a folder that were killed; none may be at work there."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(UNFINISHED) and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)


def check_outputs(pictures: Sequence[Path], others: Sequence[Path], *, force: bool, inputs: Sequence[Path]) -> None:
    """Refuse, before any work is done, all files of one run if any of them cannot or must not be written: the
    `pictures`, whose names say their formats, and the `others`.

    Raises:
        OutputError: two of them are one file; a format is unknown; a folder is missing or takes no files; a name is too
            long; a file exists and `force` is not given, or is one of the `inputs`.
    """
    for path in pictures:
        if path != PIPE:
            format_of(path)
    every = [*pictures, *others]
    for k, path in enumerate(every):
        for other in every[:k]:
            if _would_be_one(path, other):
                where = "standard output" if path == PIPE else str(path)
                raise OutputError(f"two outputs would both be written to {where}; give each a name of its own")
        if path != PIPE:
            _check_new(path, force=force, inputs=inputs)


def _would_be_one(one: Path, two: Path) -> bool:
    """Whether two names are, or may be on another disk, those of one file."""
    return one == two or _is_same(one, two) or _key(one) == _key(two)


def _key(path: Path) -> str:
    """The same for names that file systems without regard to case or to composed accents take for one."""
    if path == PIPE:
        return str(path)
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def _is_same(one: Path, two: Path) -> bool:
    """Whether two names are those of one file that exists, also by links."""
    try:
        return os.path.samefile(one, two)
    except (OSError, ValueError):
        return False


def _check_new(path: Path, *, force: bool, inputs: Sequence[Path]) -> None:
    """The checks of one file, which need not be a picture."""
    check_folder(path.parent)
    _check_length(path)
    if any(_is_same(path, each) for each in inputs):
        raise OutputError(f"{path} is the input; give another name with -o")
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder; give the name of a file")
    if os.path.lexists(path) and not force:
        raise OutputError(f"{path} already exists; use --force to replace it")


def _check_length(path: Path) -> None:
    """Raises `OutputError` if a name has more bytes than its folder takes."""
    size, most = len(os.fsencode(path.name)), _longest_name(path.parent)
    if size > most:
        raise OutputError(
            f"the name {path.name} has {size} bytes, its folder takes {most}; give a shorter one with -o (without a "
            "sidecar, --no-sidecar, it may be longer)"
        )


def _longest_name(folder: Path) -> int:
    """In bytes."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, ValueError, OSError):  # Windows
        return LONGEST_NAME


def check_folder(folder: Path) -> None:
    """Raises `OutputError` unless files can be written in `folder`."""
    if not os.path.isdir(folder):
        raise OutputError(f"the folder {folder} does not exist; make it first")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=UNFINISHED):
            pass
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror}") from error
