"""How a camera saw what stands upright, and how the same thing looks elsewhere in its photo. No torch.

Directions are (right, down, forward) as the camera has them."""

import math
from dataclasses import dataclass

import numpy as np

from realedit.placement import AS_IT_IS, Matrix, Point

UNDERNEATH = math.radians(10)  # from straight down: so near to it, upright things lean every way
USUAL_FOCAL = 1.35  # of the shorter side: between a phone's main camera (1.1) and a normal lens (1.8)


@dataclass(frozen=True)
class Camera:
    """One that is held level, takes photos of `size` (width, height) and looks down by `pitch`, in radians; its
    focal length is `focal` shorter sides."""

    size: tuple[int, int]
    pitch: float
    focal: float = USUAL_FOCAL

    def turn(self, here: Point, there: Point) -> Matrix:
        """How something that is seen `here` looks `there`, where it shows the camera the same side: as far as a map
        of fractions that keeps areas can say it. Away from the middle, upright things lean and widths stretch. As it is
        if either lies right under the camera, where nothing is upright."""
        if here == there or min(self._from_plumb(here), self._from_plumb(there)) < UNDERNEATH:
            return AS_IT_IS
        looks = self._upright(there) @ np.linalg.inv(self._upright(here))
        looks /= math.sqrt(np.linalg.det(looks))
        (a, b), (c, d) = looks
        width, height = self.size
        return (float(a), float(b * height / width)), (float(c * width / height), float(d))

    def below(self, point: Point, row: float) -> Point:
        """What is seen at a row, lower or higher than a point, on the upright line through it; straight below or above
        it where the point lies right under the camera."""
        if self._from_plumb(point) < UNDERNEATH:
            return point[0], row
        y, there = ((v - 0.5) * self.size[1] / min(self.size) / self.focal for v in (point[1], row))
        slope = math.tan(self.pitch)  # upright lines meet 1 / slope focal lengths below the middle
        return 0.5 + (point[0] - 0.5) * (1 - slope * there) / (1 - slope * y), row

    def _upright(self, point: Point) -> np.ndarray:
        """Where the two directions across the line of sight to a point, level and upward, point in the picture, in
        columns."""
        sight = self._sight(point)
        level = self._across_plumb(point)
        upward = np.cross(level, sight)
        across = np.stack((level / np.linalg.norm(level), upward / np.linalg.norm(upward)), 1)
        return across[:2] - sight[:2, None] * across[2]

    def _from_plumb(self, point: Point) -> float:
        """The angle between the line of sight to a point and the line straight down, or up."""
        across = np.linalg.norm(self._across_plumb(point))
        return math.asin(min(1.0, float(across / np.linalg.norm(self._sight(point)))))

    def _across_plumb(self, point: Point) -> np.ndarray:
        """The level direction across the line of sight to a point, as long as both lines are apart."""
        return np.cross((0.0, math.cos(self.pitch), math.sin(self.pitch)), self._sight(point))

    def _sight(self, point: Point) -> np.ndarray:
        """The direction in which a point is seen, 1 long forward."""
        x, y = ((p - 0.5) * n / min(self.size) / self.focal for p, n in zip(point, self.size, strict=True))
        return np.array((x, y, 1.0))
