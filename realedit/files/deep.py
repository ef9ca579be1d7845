"""Pictures of 16 bits per channel, which Pillow reads and writes in grey only."""

import numpy as np
from PIL import Image

DEEP = {"PNG", "TIFF"}  # the formats that can hold them


def read_deep(data: bytes) -> np.ndarray | None:
    """The channels (H, W, 1 to 4) uint16 of a PNG or TIFF file as stored, red first; None if it has
    fewer bits."""
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16:
        return None
    if values.ndim == 2:
        return values[..., None]
    return values[..., [2, 1, 0, 3][: values.shape[-1]]] if values.shape[-1] > 2 else values


def png(channels: np.ndarray) -> bytes:
    """A PNG file of channels (H, W, 1, 3 or 4) uint16."""
    import cv2

    return bytes(cv2.imencode(".png", _blue_first(channels))[1])


def _blue_first(channels: np.ndarray) -> np.ndarray:
    count = channels.shape[-1]
    return np.ascontiguousarray(channels[..., [2, 1, 0, 3][:count]] if count > 2 else channels)


def as_grey(image: Image.Image) -> np.ndarray:
    """A picture of one channel in more than 8 bits (modes I and F) as (H, W, 1) uint16."""
    values = np.asarray(image).astype(np.float64)
    peak = 65535 if values.max() > 255 else 255 if values.max() > 1 or image.mode[0] == "I" else 1
    return (values / peak * 65535).clip(0, 65535).round().astype(np.uint16)[..., None]
