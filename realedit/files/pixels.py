"""The pixels of an opened picture as arrays: upright, in their own depth, colours and transparency apart."""

import io

import numpy as np
from PIL import Image, ImageCms

from realedit.files.deep import as_grey, read_deep
from realedit.files.exif import ORIENTATION
from realedit.files.orientation import swaps_sides, turned

OTHER_COLOURS = ("CMYK", "LAB")  # modes that become RGB


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) of the picture as it is meant to be seen. Pillow turns TIFF by itself."""
    return image.size[::-1] if image.format != "TIFF" and swaps_sides(orientation(image)) else image.size


def orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # broken camera data must not cost the user the photo; any error can come of it
        return 1


def pixels(image: Image.Image, data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """(H, W, 3) uint8 or uint16 and the transparency (H, W) of that type, or None, of a loaded picture whose file is
    `data`; CMYK and Lab as sRGB."""
    deep = read_deep(data) if _bits(image, data) == 16 else None
    if deep is None and image.mode.startswith(("I", "F")):
        deep = as_grey(image)
    colour, alpha = _channels(image) if deep is None else _split(deep)
    turn = orientation(image)  # of a TIFF it is that of the file no more: Pillow and OpenCV have turned it
    return turned(colour, turn), None if alpha is None else turned(alpha, turn)


def _bits(image: Image.Image, data: bytes) -> int:
    """Of each channel as stored."""
    if image.format == "PNG":
        return data[24]
    bits = getattr(image, "tag_v2", {}).get(258, (8,))
    return bits[0] if isinstance(bits, tuple) and len(bits) in (3, 4) and image.mode in ("RGB", "RGBA") else 8


def _split(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    count = channels.shape[-1]
    alpha = channels[..., -1].copy() if count in (2, 4) else None
    colour = channels[..., :3] if count > 2 else np.repeat(channels[..., :1], 3, axis=-1)
    return np.ascontiguousarray(colour), alpha


def _channels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    if image.mode in OTHER_COLOURS:
        image = _to_srgb(image, image.info.get("icc_profile") or None)
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        return rgba[..., :3].copy(), rgba[..., 3].copy()
    return np.asarray(image.convert("RGB")).copy(), None


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """CMYK and Lab pictures as sRGB."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if converted is not None:
            return converted
    except (ImageCms.PyCMSError, OSError):
        pass  # without a usable profile the plain conversion has to do
    return image.convert("RGB")
