"""Which files are photos, by the ends of their names, and the name of a pipe. Nothing heavy: help needs it."""

from pathlib import Path

PIPE = Path("-")  # in place of a photo, standard input; in place of a result, standard output
FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".bmp": "BMP",
}
"""What can be written, and Pillow's name of the format."""
SUFFIXES = {kind: suffix for suffix, kind in reversed(FORMATS.items())}
RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")
PHOTOS = (*FORMATS, ".gif", ".jp2", ".ppm", *RAW)
"""What is taken for a photo in a folder."""


def edited_suffix(photo: Path, asked: str | None = None) -> str:
    """How the name of an edited photo is expected to end, by its own name; `asked`: the kind that the user wants."""
    if asked:
        return f".{asked}"
    kind = FORMATS.get(photo.suffix.lower())
    return photo.suffix if kind else ".tif" if photo.suffix.lower() in RAW else SUFFIXES["PNG"]
