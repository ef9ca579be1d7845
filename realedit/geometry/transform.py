"""Where an object's pixels go: a map of the photo's plane. No torch."""

from dataclasses import dataclass, field

import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Matrix = tuple[tuple[float, float], tuple[float, float]]  # by rows, of (x, y)

IDENTITY_MATRIX: Matrix = ((1.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, eq=False)
class GridWarp:
    """How an object is reshaped where it is: `sources` (rows, columns, 2) say of the points of a grid, which spans
    `box` from edge to edge, what comes there. What lies outside the box is gone. Points are fractions (x, y)."""

    box: Box
    sources: np.ndarray


@dataclass(frozen=True)
class Placement:
    """Reshape by `grid_warp`, turn by `linear` and scale by `scale` about `anchor`, then shift so that `anchor` lands
    on `target`.

    Points are fractions (x, y) of the photo. `linear` is a map of them too, and keeps areas: its determinant
    is 1. Of single points `grid_warp` says nothing: they go where the rest takes them."""

    anchor: Point
    target: Point
    scale: float = 1.0
    linear: Matrix = IDENTITY_MATRIX
    grid_warp: GridWarp | None = None

    @property
    def identity(self) -> bool:
        return self.anchor == self.target and self.scale == 1.0 and not self.reshaped

    @property
    def reshaped(self) -> bool:
        """Whether it looks other than as it is, but for its size."""
        return self.linear != IDENTITY_MATRIX or self.grid_warp is not None

    def __call__(self, point: Point) -> Point:
        """Where a point of the photo goes."""
        off = multiplied(self.linear, (point[0] - self.anchor[0], point[1] - self.anchor[1]))
        return self.target[0] + self.scale * off[0], self.target[1] + self.scale * off[1]

    def inverse(self, point: Point) -> Point:
        """Where a point of the result came from."""
        off = multiplied(inverse_matrix(self.linear), (point[0] - self.target[0], point[1] - self.target[1]))
        return self.anchor[0] + off[0] / self.scale, self.anchor[1] + off[1] / self.scale


def multiplied(matrix: Matrix, vector: Point) -> Point:
    (a, b), (c, d) = matrix
    x, y = vector
    return a * x + b * y, c * x + d * y


def inverse_matrix(matrix: Matrix) -> Matrix:
    """The inverse of a matrix."""
    (a, b), (c, d) = matrix
    area = a * d - b * c
    return (d / area, -b / area), (-c / area, a / area)


@dataclass(frozen=True)
class ObjectPose:
    """Where an object is: its centre of mass, the box around it, and if known the middle of what it stands on, the
    lowest point that is seen of it, and its `inverse_depth`: one over its distance, up to a factor; and if it resembles
    one, the `primitive` that stands there, as points (n, 3): (right, away, up) in units of how far forward its base
    is."""

    centre: Point
    box: Box
    base: Point | None = None
    lowest: Point | None = None
    inverse_depth: float | None = None
    primitive: np.ndarray | None = field(default=None, compare=False)

    @property
    def foot(self) -> Point:
        """Its lowest point, or else the middle of its lower edge."""
        return self.lowest or ((self.box[0] + self.box[2]) / 2, self.box[3])

    @property
    def ground_point(self) -> Point:
        """The middle of what it stands on, or else its foot."""
        return self.base or self.foot


IDENTITY = Placement((0.5, 0.5), (0.5, 0.5))
