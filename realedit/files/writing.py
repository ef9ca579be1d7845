"""Write files whole or not at all, and never over anything that matters."""

import io
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from inversion.errors import OutputError
from realedit.files.encoding import Saving, encode, format_of
from realedit.files.kinds import PIPE
from realedit.files.photo import Photo
from realedit.files.provenance import TYPES, Parent, Signer
from realedit.files.xmp import DigitalSourceType


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
    path = Path(path)
    kind = saving.kind(path, photo)
    data = encode(photo, kind, saving)
    if signer is not None:
        data = signer.sign(
            data, kind, saving.mark or (DigitalSourceType.EDITED if parent else DigitalSourceType.GENERATED), parent
        )
    write_bytes(data, path)


def parent_of(path: Path, photo: Photo, saving: Saving) -> Parent:
    """What content credentials name as the original of an edit: the photo's file, or where that has no
    credentials of its kind, came through a pipe, or may tell a place that is to be left out, the photo as PNG."""
    kind = photo.origin.format
    if path != PIPE and kind in TYPES and not saving.strip_place:
        return Parent(path.read_bytes(), kind)
    return Parent(encode(photo, "PNG", replace(saving, mark=None)), "PNG")


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a picture that is no photo, such as a contact sheet, in the format of its name."""
    save_photo(Photo(np.asarray(sheet.convert("RGB"))), path, Saving(mark=None))


def save_mask(inside: np.ndarray, path: Path) -> None:
    """Write a mask (H, W) as a grey PNG, white where it holds."""
    data = io.BytesIO()
    Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(data, "PNG", compress_level=1)
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
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
            part = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_output(path: Path, *, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """Refuse, before any work is done, an output that cannot or must not be written.

    Raises:
        OutputError: the folder is missing or read-only, the format unknown, the file exists, or
            it is one of the inputs.
    """
    if path == PIPE:
        return
    format_of(path)
    check_new(path, force=force, inputs=inputs)


def check_new(path: Path, *, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """The same for a file that need not be a picture."""
    if any(path.exists() and p.exists() and path.samefile(p) for p in inputs):
        raise OutputError(f"{path} is the input; give another name with -o")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if path.exists() and not force:
        raise OutputError(f"{path} already exists; use --force to replace it")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raises `OutputError` unless files can be written in `folder`."""
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror}") from error
