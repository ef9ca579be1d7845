"""The shapes on the table, in units of the object's size.

Every round shape is a stack of segments with one formula: between the heights `low` and `high`
the squared radius is `a + b z + c z²`. That covers cylinders (a), cones (all three) and
ellipsoids (all three), so one quadratic equation intersects them all. Box shapes are given by
their half extents. All shapes stand on z = 0.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Part of a solid of revolution: radius² = a + b z + c z² for low <= z <= high."""

    a: float
    b: float
    c: float
    low: float
    high: float

    def radius(self, z: float) -> float:
        return max(self.a + self.b * z + self.c * z * z, 0.0) ** 0.5


def frustum(low: float, high: float, bottom: float, top: float) -> Segment:
    """A cone cut at two heights, with the radii there; equal radii make a cylinder."""
    k = (top - bottom) / (high - low)
    r0 = bottom - k * low  # radius extrapolated to z = 0
    return Segment(r0 * r0, 2 * r0 * k, k * k, low, high)


def ellipsoid(low: float, high: float, radius: float, centre: float, half_height: float) -> Segment:
    """The part of an upright ellipsoid of revolution between two heights."""
    q = (radius / half_height) ** 2
    return Segment(radius**2 - q * centre**2, 2 * q * centre, -q, low, high)


@dataclass(frozen=True)
class Shape:
    """A solid: either up to three stacked `segments`, or a box with `half` extents (x, y, z)."""

    segments: tuple[Segment, ...] = ()
    half: tuple[float, float, float] | None = None
    hollow: bool = False  # the top is drawn as a dark opening

    @property
    def height(self) -> float:
        return 2 * self.half[2] if self.half else max(s.high for s in self.segments)

    @property
    def radius(self) -> float:
        """The largest distance from the vertical axis."""
        if self.half:
            return math.hypot(self.half[0], self.half[1])
        return max(r for r, _ in self._profile())

    def front(self, elevation: float, bearing: float) -> float:
        """How far in front of the axis the table ends and the solid begins, for one who looks down at it by
        `elevation` radians, in the direction `bearing` from the x axis of its own frame."""
        if self.half:
            return self.half[0] * abs(math.cos(bearing)) + self.half[1] * abs(math.sin(bearing))
        return max(r - z / math.tan(elevation) for r, z in self._profile())

    def _profile(self) -> list[tuple[float, float]]:
        """Distances from the axis, and the heights at which they are."""
        heights = [(s, s.low + (s.high - s.low) * i / 16) for s in self.segments for i in range(17)]
        return [(s.radius(z), z) for s, z in heights]


SHAPES = {
    "ball": Shape((ellipsoid(0, 2, 1, 1, 1),)),
    "egg": Shape((ellipsoid(0, 0.9, 0.8, 0.9, 0.9), ellipsoid(0.9, 2.2, 0.8, 0.9, 1.3))),
    "can": Shape((frustum(0, 2.0, 0.75, 0.75),)),
    "cone": Shape((frustum(0, 2.2, 1.0, 0.0),)),
    "cup": Shape((frustum(0, 1.7, 0.6, 0.95),), hollow=True),
    "bowl": Shape((frustum(0, 0.15, 0.5, 0.5), ellipsoid(0.15, 1.0, 1.2, 1.05, 0.99)), hollow=True),
    "bottle": Shape((frustum(0, 1.6, 0.6, 0.6), frustum(1.6, 2.1, 0.6, 0.24), frustum(2.1, 2.7, 0.24, 0.24))),
    "vase": Shape(
        (ellipsoid(0, 1.5, 0.85, 0.75, 1.0), frustum(1.5, 2.0, 0.56, 0.3), frustum(2.0, 2.4, 0.3, 0.55)),
        hollow=True,
    ),
    "cube": Shape(half=(0.8, 0.8, 0.8)),
    "box": Shape(half=(1.0, 0.6, 0.5)),
}
