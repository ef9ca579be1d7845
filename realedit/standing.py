"""On what an object stands, as its outline tells: the middle of its base, which is hidden, and its lowest point."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage
from torch import Tensor

from realedit.camera import Camera
from realedit.images import resize
from realedit.placement import Box, Point

LOWEST, SLANT = 0.1, 0.35  # of the object's height: its lowest part; the sine of the angle that photos look down at
FINE, SMOOTH = 256, 0.012  # pixels of the shorter side at which outlines are followed, and how far they are smoothed
STEEP = 3.5  # an outline that rises faster than this runs up a side and no longer around the base
SLIVER = 0.008  # of the shorter side: how far above its lowest row the lower edge shows where its middle is
DEEP, WIDE = 0.3, 1.25  # of a base's width: how far its middle lies behind its front, how wide the object is, at most


def middle_of_base(mask: Tensor, camera: Camera | None = None) -> Point:
    """The middle (x, y), in fractions, of what the object of a mask (1, 1, H, W) stands on, in a photo that the
    `camera` took; None: a level one.

    It is taken for as deep as a round one seen from a usual height. Boxes, cans and cones show how wide it is, and
    that it is deeper, by the two corners where the lower edge ends and the sides begin. Balls, bowls and cups
    show none; they stand right below their middle, on what is as wide as their lowest part. It never lies beyond the
    object's middle."""
    outline = _Outline.of(mask)
    height, width = outline.inside.shape
    wide, depth = outline.wide, outline.depth
    if not outline.cornered:
        part = max(1, round(LOWEST * (outline.bottom - outline.top)))
        wide, depth = outline.wide_above(part), 0.0
    row = (outline.bottom - min(max(depth, SLANT * wide / 2), (outline.bottom - outline.top) / 2)) / height
    if outline.cornered:
        return (outline.corners[0][0] + outline.corners[1][0]) / 2 / width, row
    middle = (outline.left + outline.right) / 2 / width, (outline.top + outline.bottom) / 2 / height
    return camera.below(middle, row) if camera else (middle[0], row)


def lowest_point(mask: Tensor, box: Box) -> Point:
    """The lowest point (x, y), in fractions, that is seen of the object of a mask (1, 1, H, W) in this `box`.

    A lower edge is so flat that a pixel more or less moves its lowest point far. So this is the mean of three that err
    in different ways: the middle of the box; the middle of the sliver just above the edge; and, where the base has
    corners, the point of its front that lies straight ahead of its middle, as if the horizon lay at the top edge."""
    outline = _Outline.of(mask)
    middle, row = (box[0] + box[2]) / 2, box[3]
    sliver = outline.middle_above(round(SLIVER * FINE)) / outline.inside.shape[1]
    front = middle
    if outline.cornered:
        x, y = middle_of_base(mask)
        front = 0.5 + (x - 0.5) * row / y
    return (middle + sliver + front) / 3, row


@dataclass(frozen=True, eq=False)
class _Outline:
    """An object's smoothed mask `inside` (H, W), the box around it, and the left and the right `corners` (x, y) at
    which its outline, followed from its lowest point, turns up; all in its pixels."""

    inside: np.ndarray
    top: int
    bottom: int
    left: int
    right: int
    corners: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def of(cls, mask: Tensor) -> "_Outline":
        inside = _smoothed(mask)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        corners = _corner(inside, -1), _corner(inside, 1)
        return cls(inside, int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1, corners)

    @property
    def wide(self) -> float:
        """From corner to corner."""
        return self.corners[1][0] - self.corners[0][0]

    @property
    def depth(self) -> float:
        """How far the corners lie above the lowest point."""
        return self.bottom - (self.corners[0][1] + self.corners[1][1]) / 2

    @property
    def cornered(self) -> bool:
        """Whether the corners are those of a base."""
        return self.right - self.left <= WIDE * self.wide and self.depth <= DEEP * self.wide

    def wide_above(self, rows: int) -> float:
        """How wide the object is in its lowest `rows`."""
        columns = np.flatnonzero(self.inside[self.bottom - rows : self.bottom].any(0))
        return float(columns[-1] + 1 - columns[0])

    def middle_above(self, rows: int) -> float:
        """The middle of the row that lies so many above the lowest."""
        columns = np.flatnonzero(self.inside[max(self.top, self.bottom - 1 - rows)])
        return float(columns[0] + columns[-1] + 1) / 2


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
