"""The bytes of a file from a photo: format, depth, colours, camera data and compression as they came in."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, PngImagePlugin

from inversion.errors import OutputError
from realedit.files.deep import DEEP, png
from realedit.files.exif import without_place
from realedit.files.kinds import FORMATS, PIPE, SUFFIXES
from realedit.files.photo import Photo
from realedit.files.reading import IPTC_RESOURCE
from realedit.files.tiff import tiff
from realedit.files.xmp import DigitalSourceType, cleaned, marked

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


def losses(photo: Photo, kind: str) -> list[str]:
    """What a file of this format cannot hold of a photo."""
    found = []
    if photo.peak > 255 and kind not in DEEP:
        found.append(f"{kind} holds 8 bits per channel, the photo has 16; .png and .tif keep them")
    if photo.see_through and kind not in TRANSPARENT:
        found.append(f"{kind} has no transparency; it is filled with white")
    if kind == "BMP" and (photo.exif or photo.profile or photo.xmp):
        found.append("BMP holds no camera data and no colour profile")
    return found


def encode(photo: Photo, kind: str, saving: Saving = Saving()) -> bytes:
    """The bytes of a file. JPEG takes the photo's own tables; everything else that can is without loss.

    Raises:
        OutputError: the format needs a package that is not installed.
    """
    exif = without_place(photo.exif) if saving.strip_place else photo.exif
    packet = cleaned(photo.xmp, strip_place=True) if saving.strip_place else photo.xmp
    if saving.mark is not None:
        packet = marked(packet, saving.mark)
    if kind == "TIFF":
        return tiff(_channels(photo), exif=exif, xmp=packet, profile=photo.profile, dpi=photo.origin.dpi)
    if photo.peak > 255 and kind == "PNG":
        return png(_channels(photo), exif=exif, xmp=packet, profile=photo.profile, description=photo.description)
    options: dict[str, Any] = {"exif": exif} if exif else {}
    if photo.profile:
        options["icc_profile"] = photo.profile
    if photo.origin.dpi:
        options["dpi"] = photo.origin.dpi
    file = io.BytesIO()
    picture = _picture(photo, kind)
    if kind == "HEIF":
        _heif(picture, file, exif=exif, xmp=packet, profile=photo.profile)
    else:
        picture.save(file, format=kind, **options, **ENCODERS[kind](photo, packet))
    return file.getvalue()


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


def _jpeg(photo: Photo, packet: bytes) -> dict[str, Any]:
    coding = photo.origin.jpeg
    options: dict[str, Any] = {"quality": 95, "subsampling": 0}
    if coding is not None:
        options = {"qtables": coding.tables, "progressive": coding.progressive}
        options |= {"subsampling": coding.subsampling} if coding.subsampling >= 0 else {}
        if coding.iptc:
            options["extra"] = _iptc_segment(coding.iptc)
    return options | ({"xmp": packet} if packet else {})


def _iptc_segment(block: bytes) -> bytes:
    body = b"Photoshop 3.0\0" + b"8BIM" + IPTC_RESOURCE.to_bytes(2) + b"\0\0" + len(block).to_bytes(4) + block
    body += b"\0" * (len(block) % 2)
    return b"\xff\xed" + (len(body) + 2).to_bytes(2) + body if len(body) + 2 < 65536 else b""


def _png(photo: Photo, packet: bytes) -> dict[str, Any]:
    info = PngImagePlugin.PngInfo()
    if photo.description:
        info.add_itxt("Description", photo.description)
    if packet:
        info.add_itxt("XML:com.adobe.xmp", packet.decode("utf-8", "replace"))
    return {"pnginfo": info}


ENCODERS: dict[str, Callable[[Photo, bytes], dict[str, Any]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": lambda photo, packet: {"lossless": True, "exact": True, "xmp": packet},
    "AVIF": lambda photo, packet: {"quality": 100, "subsampling": "4:4:4", "speed": 8, "xmp": packet},
    "BMP": lambda photo, packet: {},
}


def _heif(picture: Image.Image, file: IO[bytes], *, exif: bytes, xmp: bytes, profile: bytes | None) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise OutputError('HEIC files need another package: pip install "realedit[heif]"') from error
    if profile:
        picture.info["icc_profile"] = profile
    options = {"exif": exif or None, "xmp": xmp or None, "quality": 95, "chroma": 444}
    pillow_heif.from_pillow(picture).save(file, **options)
