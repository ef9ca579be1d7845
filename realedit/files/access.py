"""Files that are read: regular ones of a bounded size, for a device or a pipe may have no end; and their names, which
are bytes to the system and text to recipes and sidecars. No torch."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST_PHOTO_FILE = 2**30  # bytes: above every photo of as many pixels as are read
LARGEST_TEXT_FILE = 2**20  # bytes of a recipe, a sidecar, a key
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Bytes at the head of a text that say how it is written."""


def read_file(path: Path, most: int = LARGEST_PHOTO_FILE) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it cannot be read, is none (a device, a pipe: it is not even opened), or holds more than `most` bytes.
    """
    name = native(path)
    _require_regular(os.stat(name).st_mode, name)
    with open(os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
        _require_regular(os.fstat(file.fileno()).st_mode, name)  # another file may have taken the name
        return read_at_most(file, most)


def _require_regular(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", name)
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "none")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", name)


def read_at_most(file: BinaryIO, most: int = LARGEST_PHOTO_FILE) -> bytes:
    """All of a stream.

    Raises:
        OSError: it holds more than `most` bytes.
    """
    data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it holds more than {most // 2**20} MiB")
    return data


def is_file(path: Path) -> bool:
    """Whether there is a regular file of this name; a name that the system does not take is that of none."""
    try:
        return os.path.isfile(native(path))
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether there is anything of this name."""
    try:
        return os.path.exists(native(path))
    except OSError:
        return False


def native(path: Path | str) -> str:
    """A path as the system takes it, also one that comes from a text and where names are not UTF-8 to Python (as in the
    locale C).

    Raises:
        OSError: no file can have that name.
    """
    name = os.fspath(path)
    if "\0" in name:
        raise OSError(errno.EINVAL, "a name cannot hold NUL", name)
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        try:
            return os.fsdecode(name.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            raise OSError(errno.EINVAL, "it is no name of a file", name) from None
    return name


def as_text(words: str) -> str:
    """What was typed, or a file is called, as Unicode: what Python could not decode is taken for UTF-8.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    return words.encode("utf-8", "surrogateescape").decode("utf-8")


def shown_name(path: Path | str) -> str:
    """A path as Unicode, to be printed and kept in sidecars; bytes that are not UTF-8 as escapes."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it says so at its head.

    Raises:
        UnicodeDecodeError: it is neither.
    """
    coding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    return data.decode(coding)
