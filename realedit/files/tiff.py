"""TIFF files, written here: Pillow's own writer knows neither 16 bits of colour nor camera data in a compressed
file."""

import zlib
from fractions import Fraction

import numpy as np

from realedit.files.exif import tags_of
from realedit.files.metadata import IPTC_TAG, XMP_TAG, Metadata
from realedit.files.tiff_tags import LONG, RATIONAL, SHORT, UNDEFINED, Tag, TagBlock

IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTE_COUNTS = 273, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, PREDICTOR, EXTRA_SAMPLES, ICC_PROFILE = 282, 283, 296, 317, 338, 34675
ADOBE_DEFLATE, INCH, STRAIGHT_ALPHA = 8, 2, 2
BYTES = 1  # the type of XMP


def tiff(channels: np.ndarray, said: Metadata, *, profile: bytes | None, dpi: tuple[float, float] | None) -> bytes:
    """A TIFF file of channels (H, W, 1 to 4) uint8 or uint16 in one strip, compressed without loss, in the byte order
    of the camera data."""
    camera = tags_of(said.exif)
    steps = channels.astype(f"{camera.order}u{channels.dtype.itemsize}")
    steps[:, 1:] -= channels[:, :-1]  # differences from the left, modulo the range: they compress better
    strip = zlib.compress(steps.tobytes(), 6)
    tags = {**camera.tags, **_of_pixels(camera, channels, dpi), STRIP_BYTE_COUNTS: camera.packed(LONG, len(strip))}
    blocks = ((XMP_TAG, BYTES, said.xmp), (IPTC_TAG, UNDEFINED, said.iptc), (ICC_PROFILE, UNDEFINED, profile))
    tags |= {tag: Tag(kind, block) for tag, kind, block in blocks if block}
    start = len(TagBlock(camera.order, {**tags, STRIP_OFFSETS: camera.packed(LONG, 0)}).written())
    start += start % 2
    head = TagBlock(camera.order, {**tags, STRIP_OFFSETS: camera.packed(LONG, start)}).written()
    return head.ljust(start, b"\0") + strip


def _of_pixels(order: TagBlock, channels: np.ndarray, dpi: tuple[float, float] | None) -> dict[int, Tag]:
    height, width, count = channels.shape
    found = {
        IMAGE_WIDTH: order.packed(LONG, width),
        IMAGE_LENGTH: order.packed(LONG, height),
        BITS_PER_SAMPLE: order.packed(SHORT, *(8 * channels.dtype.itemsize,) * count),
        COMPRESSION: order.packed(SHORT, ADOBE_DEFLATE),
        PHOTOMETRIC: order.packed(SHORT, 2 if count > 2 else 1),
        SAMPLES_PER_PIXEL: order.packed(SHORT, count),
        ROWS_PER_STRIP: order.packed(LONG, height),
        PREDICTOR: order.packed(SHORT, 2),
    }
    if count in (2, 4):
        found[EXTRA_SAMPLES] = order.packed(SHORT, STRAIGHT_ALPHA)
    if dpi:
        across, down = (Fraction(d).limit_denominator(10_000) for d in dpi)
        found[X_RESOLUTION] = order.packed(RATIONAL, across.numerator, across.denominator)
        found[Y_RESOLUTION] = order.packed(RATIONAL, down.numerator, down.denominator)
        found[RESOLUTION_UNIT] = order.packed(SHORT, INCH)
    return found
