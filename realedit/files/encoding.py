"""The bytes of a file from a photo: format, depth, colours, camera data and compression as they came in."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from inversion.errors import OutputError
from realedit.files import deep
from realedit.files.exif import HEADER as EXIF_HEADER
from realedit.files.fitting import fitted
from realedit.files.iptc import as_resource
from realedit.files.kinds import FORMATS, PIPE, SUFFIXES
from realedit.files.metadata import DESCRIPTION_KEYWORD, Metadata
from realedit.files.photo import Photo
from realedit.files.png import XMP_KEYWORD, Text, profile_chunk, resolution_chunk, with_chunks
from realedit.files.tiff import tiff
from realedit.files.xmp import DigitalSourceType, marked

TRANSPARENT = {"PNG", "WEBP", "AVIF", "TIFF", "HEIF"}


@dataclass(frozen=True)
class Saving:
    """What the user wishes of a file: how it is marked (None: not), whether it says where the photo was
    taken, and how the name of one would end that goes to standard output (None: as the photo's)."""

    mark: DigitalSourceType | None = DigitalSourceType.EDITED
    strip_place: bool = False
    piped: str | None = None

    def kind(self, path: Path, photo: Photo) -> str:
        """The format in which a photo is written to `path`.

        Raises:
            OutputError: it is none that can be written.
        """
        return format_of(Path("photo" + (self.piped or suffix_for(photo))) if path == PIPE else path)


def format_of(path: Path) -> str:
    """The format that a file name asks for.

    Raises:
        OutputError: it is none that can be written.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f'cannot write "{path.name}": end the name in .jpg, .png, .webp, .avif, .tif or .heic')
    return kind


def suffix_for(photo: Photo) -> str:
    """How the name of a result ends, if the user does not say: as the photo's own format, or where that
    cannot be written, as one that keeps all."""
    if photo.origin.format in SUFFIXES:
        return SUFFIXES[photo.origin.format]
    return ".tif" if photo.peak > 255 else ".png"


def losses(photo: Photo, kind: str, saving: Saving = Saving()) -> list[str]:
    """What a file of this format cannot hold of a photo."""
    found = []
    if photo.peak > 255 and kind not in deep.DEEP:
        found.append(f"{kind} holds 8 bits per channel, the photo has 16; .png and .tif keep them")
    if photo.see_through and kind not in TRANSPARENT:
        found.append(f"{kind} has no transparency; it is filled with white")
    if kind == "BMP" and _profile(photo, kind):
        found.append("BMP holds no colour profile")
    elif kind != "PNG" and photo.origin.coding is not None and photo.origin.coding.high_range:
        found.append(f"{kind} tells colours by a profile; what is brighter than white will look white (.png keeps it)")
    return found + fitted(_said(photo, saving), kind)[1]


def encode(photo: Photo, kind: str, saving: Saving = Saving()) -> bytes:
    """The bytes of a file. JPEG takes the photo's own tables; everything else that can is without loss.

    Raises:
        OutputError: the format needs a package that is not installed.
    """
    said = fitted(_said(photo, saving), kind)[0]
    if saving.mark is not None:
        said = replace(said, xmp=marked(said.xmp, saving.mark))
    profile = _profile(photo, kind)
    if kind == "TIFF":
        return tiff(_channels(photo), said, profile=profile, dpi=photo.origin.dpi)
    if kind == "PNG":
        return _png(photo, said)
    picture, file = _picture(photo, kind), io.BytesIO()
    if kind == "HEIF":
        _heif(picture, file, said, profile)
        return file.getvalue()
    options: dict[str, Any] = {"exif": said.exif} if said.exif else {}
    if profile:
        options["icc_profile"] = profile
    if photo.origin.dpi:
        options["dpi"] = photo.origin.dpi
    picture.save(file, format=kind, **options, **ENCODERS[kind](photo, said))
    return file.getvalue()


def _said(photo: Photo, saving: Saving) -> Metadata:
    return photo.metadata.without_place() if saving.strip_place else photo.metadata


def _profile(photo: Photo, kind: str) -> bytes | None:
    """The ICC profile that a file gets: the photo's own, or one of the numbers that told its colours, except in PNG,
    which has these numbers."""
    coding = photo.origin.coding
    if photo.profile or kind == "PNG" or coding is None or coding.is_srgb:
        return photo.profile
    return coding.profile


def _channels(photo: Photo) -> np.ndarray:
    colour = photo.rgb[..., :1] if photo.origin.grey and photo.alpha is None else photo.rgb
    return colour if photo.alpha is None else np.dstack([colour, photo.alpha])


def _picture(photo: Photo, kind: str) -> Image.Image:
    """In 8 bits, on white where the format knows no transparency."""
    rgb = photo.rgb
    alpha = photo.alpha if kind in TRANSPARENT else None
    if photo.see_through and kind not in TRANSPARENT:
        rgb = (photo.tensor()[0].permute(1, 2, 0).numpy() * photo.peak).round().astype(rgb.dtype)
    if photo.peak > 255:
        rgb = _in_8_bits(rgb)
        alpha = None if alpha is None else _in_8_bits(alpha)
    image = Image.fromarray(np.ascontiguousarray(rgb[..., 0] if photo.origin.grey else rgb))
    if alpha is not None:
        image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    return image


def _in_8_bits(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _jpeg(photo: Photo, said: Metadata) -> dict[str, Any]:
    coding = photo.origin.jpeg
    options: dict[str, Any] = {"quality": 95, "subsampling": 0}
    if coding is not None:
        options = {"qtables": coding.tables, "progressive": coding.progressive}
        options |= {"subsampling": coding.subsampling} if coding.subsampling >= 0 else {}
    press = [_segment(b"\xed", b"Photoshop 3.0\0" + as_resource(said.iptc))] if said.iptc else []
    comments = [_segment(b"\xfe", comment) for comment in said.comments]
    return options | {"extra": b"".join(press + comments)} | ({"xmp": said.xmp} if said.xmp else {})


def _segment(kind: bytes, body: bytes) -> bytes:
    return b"\xff" + kind + (len(body) + 2).to_bytes(2) + body


PNG_LEVEL = 3  # of 9: photos are written in less than half of the time of 6, and take 7 % more room


def _png(photo: Photo, said: Metadata) -> bytes:
    """In the photo's own depth; what is said beside the pixels as chunks before them."""
    if photo.peak > 255:
        data = deep.png(_channels(photo))
    else:
        file = io.BytesIO()
        _picture(photo, "PNG").save(file, format="PNG", compress_level=PNG_LEVEL)
        data = file.getvalue()
    more = list(photo.origin.coding.chunks) if photo.origin.coding is not None else []
    more += [profile_chunk(photo.profile)] if photo.profile else []
    more += [resolution_chunk(photo.origin.dpi)] if photo.origin.dpi else []
    more += [(b"eXIf", said.exif.removeprefix(EXIF_HEADER))] if said.exif else []
    more += [Text.of(XMP_KEYWORD, said.xmp.decode()).chunk] if said.xmp else []
    if photo.description and all(t.keyword != DESCRIPTION_KEYWORD for t in said.texts):
        more.append(Text.of(DESCRIPTION_KEYWORD, photo.description).chunk)
    return with_chunks(data, [*more, *(t.chunk for t in said.texts)])


ENCODERS: dict[str, Callable[[Photo, Metadata], dict[str, Any]]] = {
    "JPEG": _jpeg,
    "WEBP": lambda photo, said: {"lossless": True, "exact": True, "xmp": said.xmp},
    "AVIF": lambda photo, said: {"quality": 100, "subsampling": "4:4:4", "speed": 8, "xmp": said.xmp},
    "BMP": lambda photo, said: {},
}


def _heif(picture: Image.Image, file: IO[bytes], said: Metadata, profile: bytes | None) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise OutputError('HEIC files need another package: pip install "realedit[heif]"') from error
    if profile:
        picture.info["icc_profile"] = profile
    options = {"exif": said.exif or None, "xmp": said.xmp or None, "quality": 95, "chroma": 444}
    pillow_heif.from_pillow(picture).save(file, **options)
