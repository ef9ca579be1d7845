"""Does a picture show an object of this colour and shape? Judged on pixels alone.

Knows nothing of the model or of the renderer: colours are hue ranges, shapes are proportions of the
silhouette. Only chromatic colours on neutral surroundings can be judged this way.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

# Hue ranges in degrees, with the least and greatest value (brightness) of the colour.
HUES = {
    "red": ((345, 14), (0.30, 1.0)),
    "orange": ((15, 38), (0.60, 1.0)),
    "yellow": ((39, 70), (0.35, 1.0)),
    "green": ((90, 165), (0.20, 1.0)),
    "blue": ((200, 250), (0.25, 1.0)),
    "purple": ((260, 315), (0.25, 1.0)),
}


@dataclass(frozen=True)
class Outline:
    """Of a silhouette: width over height, share of its box, widths of its top and bottom thirds over
    the greatest width."""

    aspect: float
    fill: float
    top: float
    bottom: float


SHAPES = {
    "ball": lambda o: 0.8 < o.aspect < 1.25 and 0.68 < o.fill < 0.9,
    "egg": lambda o: 0.5 < o.aspect < 1.0 and 0.66 < o.fill < 0.9,
    "can": lambda o: 0.5 < o.aspect < 1.1 and o.fill > 0.8,
    "cone": lambda o: o.fill < 0.72 and o.top < 0.6 * o.bottom,
    "cup": lambda o: o.fill > 0.66 and o.top > o.bottom,
    "bowl": lambda o: o.aspect > 1.15 and o.top > o.bottom,
    "bottle": lambda o: o.aspect < 0.75 and o.top < 0.75 * o.bottom,
    "vase": lambda o: 0.4 < o.aspect < 1.0 and o.fill < 0.82,
    "cube": lambda o: 0.7 < o.aspect < 1.5 and o.fill > 0.7,
    "box": lambda o: o.aspect > 0.75 and o.fill > 0.6,
}


def shows(photo: np.ndarray, colour: str, shape: str) -> bool:
    """Whether (H, W, 3) uint8 holds one connected object of this colour with this outline."""
    silhouette = largest_of_colour(photo, colour)
    return silhouette is not None and SHAPES[shape](outline(silhouette))


def largest_of_colour(photo: np.ndarray, colour: str) -> np.ndarray | None:
    """The largest connected area of a colour, filled; None under half a percent of the frame."""
    hsv = np.asarray(Image.fromarray(photo).convert("HSV")).astype(float)
    hue, saturation, value = hsv[..., 0] * 360 / 255, hsv[..., 1] / 255, hsv[..., 2] / 255
    (low, high), (dark, bright) = HUES[colour]
    right_hue = (hue >= low) | (hue <= high) if low > high else (hue >= low) & (hue <= high)
    found = right_hue & (saturation > 0.4) & (value >= dark) & (value <= bright)
    found = ndimage.binary_closing(found, iterations=1)
    parts, count = ndimage.label(found)
    if not count:
        return None
    sizes = ndimage.sum(found, parts, range(1, count + 1))
    if sizes.max() < 0.005 * found.size:
        return None
    return np.asarray(ndimage.binary_fill_holes(parts == 1 + int(np.argmax(sizes))))


def outline(silhouette: np.ndarray) -> Outline:
    rows, columns = np.flatnonzero(silhouette.any(1)), np.flatnonzero(silhouette.any(0))
    cut = silhouette[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    widths = cut.sum(1)
    third = max(1, len(widths) // 3)
    return Outline(
        aspect=cut.shape[1] / cut.shape[0],
        fill=float(cut.mean()),
        top=float(widths[:third].mean() / widths.max()),
        bottom=float(widths[-third:].mean() / widths.max()),
    )
