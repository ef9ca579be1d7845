"""How a camera saw what stands upright, and how the same thing looks elsewhere in its photo. No torch.

Directions are (right, down, forward) as the camera has them."""

import math
from dataclasses import dataclass

import numpy as np

from realedit.geometry.transform import IDENTITY_MATRIX, Matrix, Point

TYPICAL_PITCH = math.radians(15)  # before anything is seen: between streets (0) and tables (30)
LEAST_FROM_PLUMB = math.radians(10)  # from straight down: so near to it, upright things lean every way
LEAST_UPRIGHT = 0.3  # of its height or width that is left: what would lean more is too near to that too
TYPICAL_FOCAL = 1.35  # of the shorter side: between a phone's main camera (1.1) and a normal lens (1.8)
NEAREST_DEPTH = 0.05  # of the way to an object: nearer, nothing is seen of it
LEAST_INVERSE_DEPTH = 0.02  # of one over the camera's height above the ground: what is farther off counts as so far


@dataclass(frozen=True)
class Camera:
    """One that is held level, takes photos of `size` (width, height) and looks down by `pitch`, in radians; its
    focal length is `focal` shorter sides."""

    size: tuple[int, int]
    pitch: float = TYPICAL_PITCH
    focal: float = TYPICAL_FOCAL

    def view_change(self, here: Point, there: Point) -> Matrix:
        """How something that is seen `here` looks `there`, where it shows the camera the same side: as far as a map
        of fractions that keeps areas can say it. Away from the middle, upright things lean and widths stretch. As it is
        if either lies right under the camera, where nothing is upright."""
        if here == there or min(self._from_plumb(here), self._from_plumb(there)) < LEAST_FROM_PLUMB:
            return IDENTITY_MATRIX
        looks = self._upright(there) @ np.linalg.inv(self._upright(here))
        looks /= math.sqrt(np.linalg.det(looks))
        (a, b), (c, d) = looks
        if min(a, d) < LEAST_UPRIGHT:
            return IDENTITY_MATRIX
        width, height = self.size
        return (float(a), float(b * height / width)), (float(c * width / height), float(d))

    def project(self, base: Point | np.ndarray, points: np.ndarray) -> np.ndarray:
        """Where `points` (..., 3) of something upright are seen, (..., 2) fractions. They are (right, away, up) of what
        is seen at its `base` (2,), or each at its own (..., 2), in units of how far forward that is."""
        there = self._sight(base) + points @ self._upright_axes()
        shown = self.focal * there[..., :2] / np.maximum(there[..., 2:], NEAREST_DEPTH)
        return 0.5 + shown * min(self.size) / self.size

    def rays(self, base: Point, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the camera is for something that stands on what is seen at `base`, (3,), and the directions (..., 3) in
        which it sees the fractions `project` (..., 2): (right, away, up) as above."""
        across = (seen - 0.5) * self.size / min(self.size) / self.focal
        sights = np.concatenate((across, np.ones((*seen.shape[:-1], 1))), -1)
        axes = self._upright_axes()
        return -self._sight(base) @ axes.T, sights @ axes.T

    def bearing(self, point: Point) -> float:
        """How far to the right of straight ahead a point lies, in radians, as the ground has it."""
        right, away, _ = self._upright_axes() @ self._sight(point)
        return math.atan2(right, away)

    def inverse_depth(self, row: float) -> float:
        """How near the level ground is that is seen at a row: one over how far forward, up to a factor. Nothing at or
        above the horizon is ground; it counts as far off."""
        y = (row - 0.5) * self.size[1] / min(self.size) / self.focal
        return max(y * math.cos(self.pitch) + math.sin(self.pitch), LEAST_INVERSE_DEPTH)

    def along_ground(self, point: Point, row: float) -> Point:
        """The point of the level ground that lies straight ahead of another, or behind it, and is seen at a row."""
        return 0.5 + (point[0] - 0.5) * self.inverse_depth(row) / self.inverse_depth(point[1]), row

    def _upright_axes(self) -> np.ndarray:
        """(3, 3): right, away and up along the ground, each as the camera has it."""
        cos, sin = math.cos(self.pitch), math.sin(self.pitch)
        return np.array(((1.0, 0.0, 0.0), (0.0, -sin, cos), (0.0, -cos, -sin)))

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

    def _sight(self, point: Point | np.ndarray) -> np.ndarray:
        """The direction (..., 3) in which a point (..., 2) is seen, 1 long forward."""
        across = (np.asarray(point) - 0.5) * self.size / min(self.size) / self.focal
        return np.concatenate((across, np.ones((*across.shape[:-1], 1))), -1)
