"""TIFF files, written here: Pillow's own writer knows neither 16 bits of colour nor camera data in a compressed
file."""

import io
import zlib

import numpy as np
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PREDICTOR,
    RESOLUTION_UNIT,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    X_RESOLUTION,
    XMP,
    Y_RESOLUTION,
    ImageFileDirectory_v2,
)
from PIL.TiffTags import BYTE, LONG, RATIONAL, SHORT, UNDEFINED

from realedit.files.exif import EXIF_PART, PLACE_PART, parsed

ADOBE_DEFLATE, INCH, STRAIGHT_ALPHA = 8, 2, 2


def tiff(
    channels: np.ndarray, *, exif: bytes, xmp: bytes, profile: bytes | None, dpi: tuple[float, float] | None
) -> bytes:
    """A TIFF file of channels (H, W, 1 to 4) uint8 or uint16 in one strip, compressed without loss."""
    height, width, count = channels.shape
    depth = channels.dtype.itemsize
    steps = channels.astype(f"<u{depth}")
    steps[:, 1:] -= channels[:, :-1]  # differences from the left, modulo the range: they compress better
    strip = zlib.compress(steps.tobytes(), 6)
    tags = ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
    for tag, kind, value in (
        (IMAGEWIDTH, LONG, width),
        (IMAGELENGTH, LONG, height),
        (BITSPERSAMPLE, SHORT, (8 * depth,) * count),
        (COMPRESSION, SHORT, ADOBE_DEFLATE),
        (PHOTOMETRIC_INTERPRETATION, SHORT, 2 if count > 2 else 1),
        (SAMPLESPERPIXEL, SHORT, count),
        (ROWSPERSTRIP, LONG, height),
        (STRIPBYTECOUNTS, LONG, len(strip)),
        (STRIPOFFSETS, LONG, 0),  # counted from the end of the tags, where the strip is written
        (PREDICTOR, SHORT, 2),
        *(((EXTRASAMPLES, SHORT, STRAIGHT_ALPHA),) if count in (2, 4) else ()),
        *(((ICCPROFILE, UNDEFINED, profile),) if profile else ()),
        *(((XMP, BYTE, xmp),) if xmp else ()),
        *(((X_RESOLUTION, RATIONAL, dpi[0]), (Y_RESOLUTION, RATIONAL, dpi[1])) if dpi else ()),
        *(((RESOLUTION_UNIT, SHORT, INCH),) if dpi else ()),
    ):
        tags.tagtype[tag] = kind
        tags[tag] = value
    camera = parsed(exif)
    for tag, value in camera.items():
        if tag not in tags:
            tags[tag] = camera.get_ifd(tag) if tag in (EXIF_PART, PLACE_PART) else value
    file = io.BytesIO()
    tags.save(file)
    return file.getvalue() + strip
