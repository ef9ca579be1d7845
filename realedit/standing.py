"""On what an object stands, as its outline tells: the middle of its base, which is hidden."""

import cv2
import numpy as np
from scipy import ndimage
from torch import Tensor

from realedit.camera import Camera
from realedit.images import resize
from realedit.placement import Point

LOWEST, SLANT = 0.1, 0.35  # of the object's height: its lowest part; the sine of the angle that photos look down at
FINE, SMOOTH = 256, 0.012  # pixels of the shorter side at which outlines are followed, and how far they are smoothed
STEEP = 3.5  # an outline that rises faster than this runs up a side and no longer around the base
DEEP, WIDE = 0.3, 1.25  # of a base's width: how far its middle lies behind its front, how wide the object is, at most


def middle_of_base(mask: Tensor, camera: Camera | None = None) -> Point:
    """The middle (x, y), in fractions, of what the object of a mask (1, 1, H, W) stands on, in a photo that the
    `camera` took; None: a level one.

    It is taken for as deep as a round one seen from a usual height. Boxes, cans and cones show how wide it is, and
    that it is deeper, by the two corners where the lower edge ends and the sides begin. Balls, bowls and cups
    show none; they stand right below their middle, on what is as wide as their lowest part. It never lies beyond the
    object's middle."""
    inside = _smoothed(mask)
    height, width = inside.shape
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    (x0, y0), (x1, y1) = _corner(inside, -1), _corner(inside, 1)
    wide, depth = x1 - x0, bottom - (y0 + y1) / 2
    cornered = right - left <= WIDE * wide and depth <= DEEP * wide
    if not cornered:
        lowest = np.flatnonzero(inside[bottom - max(1, round(LOWEST * (bottom - top))) : bottom].any(0))
        wide, depth = lowest[-1] + 1 - lowest[0], 0.0
    row = float(bottom - min(max(depth, SLANT * wide / 2), (bottom - top) / 2)) / height
    if cornered:
        return float(x0 + x1) / 2 / width, row
    middle = float(left + right) / 2 / width, float(top + bottom) / 2 / height
    return camera.below(middle, row) if camera else (middle[0], row)


def _smoothed(mask: Tensor) -> np.ndarray:
    """A mask without the teeth that pixels give its outline, which would be taken for corners."""
    side = min(mask.shape[-2:])
    size = round(mask.shape[-1] * FINE / side), round(mask.shape[-2] * FINE / side)
    level = ndimage.gaussian_filter(resize(mask.cpu().float(), size)[0, 0].numpy(), SMOOTH * FINE)
    inside = level > 0.5
    return inside if inside.any() else level >= level.max()  # thinner than that


def _corner(inside: np.ndarray, side: int) -> tuple[float, float]:
    """The pixel corner (x, y) at which the outline, followed from its lowest point to one `side` (-1 left,
    1 right), turns up."""
    y, x = inside.nonzero()
    squares = np.concatenate([np.stack((x + dx, y + dy), 1) for dx in (0, 1) for dy in (0, 1)]).astype(np.float32)
    outline = cv2.convexHull(squares)[:, 0]
    corner = max(outline, key=lambda p: (p[1], side * p[0]))
    for point in sorted(outline, key=lambda p: (-p[1], side * p[0])):
        out, up = side * (point[0] - corner[0]), corner[1] - point[1]
        if up > STEEP * out > 0:
            break
        corner = point if out > 0 else corner
    return float(corner[0]), float(corner[1])
