"""Pictures as the page shows them: never larger than a screen can use, the photo itself stays as it is."""

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from realedit.files.photo import Pixels
from realedit.images import to_bytes
from realedit.page.sizes import view_size

if TYPE_CHECKING:
    from torch import Tensor

VIEW_QUALITY, EARLY_QUALITY = 95, 85  # of JPEG


def view_of(shown: np.ndarray) -> bytes:
    """A photo as it is displayed (h, w, 3), as JPEG."""
    return _jpeg(shown, VIEW_QUALITY)


def early_view(shown: np.ndarray, size: tuple[int, int], picture: "Tensor", box: Pixels) -> bytes:
    """A view (h, w, 3) of a photo of this `size` with a `picture` (1, 3, H, W) in a `box` of the photo, as JPEG."""
    across, down = shown.shape[1] / size[0], shown.shape[0] / size[1]
    left, right = round(box[0] * across), max(round(box[2] * across), round(box[0] * across) + 1)
    top, bottom = round(box[1] * down), max(round(box[3] * down), round(box[1] * down) + 1)
    image = shown.copy()
    image[top:bottom, left:right] = cv2.resize(to_bytes(picture), (right - left, bottom - top))
    return _jpeg(image, EARLY_QUALITY)


def mask_view(inside: np.ndarray) -> bytes:
    """A mask (H, W) as a PNG as large as the view of its photo: white, and as opaque as it holds."""
    size = view_size((inside.shape[1], inside.shape[0]))
    level = cv2.resize(inside.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    file = io.BytesIO()
    picture = Image.merge("LA", (Image.new("L", size, 255), Image.fromarray(level)))
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def strokes_of(data: bytes, view: tuple[int, int], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """What a picture of brush strokes, as large as the `view`, adds and takes away: two masks (H, W) of a photo of this
    `size`. What is added is green in it, what is taken away red.

    Raises:
        ValueError: it is no PNG of that size.
    """
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        if picture.size != view:
            raise ValueError(f"strokes of {picture.size}, expected {view}")
        levels = np.asarray(picture.convert("RGBA")).astype(np.uint16)
    red, green = (
        cv2.resize((levels[..., k] * levels[..., 3] // 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        > 127
        for k in (0, 1)
    )
    return green, red


def _jpeg(picture: np.ndarray, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()
