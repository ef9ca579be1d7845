"""Upright solids that things resemble: boxes, what is rounded below, and what a lathe could turn.

Each stands on the origin. Its points are (right, away, up), and what is seen of it from outside is the convex hull of
what is seen of them; its numbers are the natural logarithms of its sizes, and angles in radians."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Parameters = np.ndarray  # (n,), or those of several solids (..., n)
Points = np.ndarray  # (m, 3), or of several (..., m, 3)

RING_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
UNIT_RING = np.stack((np.cos(RING_ANGLES), np.sin(RING_ANGLES)), 1)
BOX_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (0, 1)])
ELLIPSOID_LATITUDES = np.linspace(0.15, np.pi / 2, 6)  # from a pole to the widest ring
LARGEST_SIZE, SMALLEST_SIZE = np.exp(4), np.exp(-8)  # of all sizes: no search shall leave these
# Radii against the width, from the foot to the top, from which a search for a turned solid starts.
REVOLUTION_PROFILES = ((0.5, 0.5, 0.5, 0.5), (0.5, 0.35, 0.18, 0.03), (0.3, 0.36, 0.43, 0.5), (0.3, 0.5, 0.45, 0.2))


@dataclass(frozen=True)
class PrimitiveFamily:
    """Solids of one kind: the points of one, and with which numbers to begin the search for the one whose outline is so
    wide and so high."""

    points: Callable[[Parameters], Points]
    guesses: Callable[[float, float], list[Parameters]]


def box(numbers: Parameters) -> Points:
    """The corners (..., 8, 3) of a box: half its width and half its depth, its height, and by what angle it is
    turned."""
    x, y, z = np.moveaxis(BOX_CORNERS * _sizes(numbers[..., None, :3]), -1, 0)
    cos, sin = np.cos(numbers[..., 3:]), np.sin(numbers[..., 3:])
    return np.stack((x * cos - y * sin, x * sin + y * cos, z), -1)


def ellipsoid(numbers: Parameters) -> Points:
    """Rings of an egg, a ball or the like, which touches the ground in a point: its radius, and how far it goes below
    and above its widest ring."""
    radius, below, above = np.moveaxis(_sizes(numbers), -1, 0)[..., None]
    radii = radius * np.tile(np.sin(ELLIPSOID_LATITUDES), 2)
    lower, upper = below * (1 - np.cos(ELLIPSOID_LATITUDES)), below + above * np.cos(ELLIPSOID_LATITUDES)
    poles = np.zeros((*numbers.shape[:-1], 2, 3))
    poles[..., 1, 2] = (below + above)[..., 0]
    return np.concatenate((_rings(radii, np.concatenate((lower, upper), -1)), poles), -2)


def revolution(numbers: Parameters) -> Points:
    """Four rings of a can, a cone, a cup, a bottle or the like: their radii from the foot up, and the height."""
    sizes = _sizes(numbers)
    return _rings(sizes[..., :4], sizes[..., 4:] * np.arange(4) / 3)


def _box_guesses(width: float, height: float) -> list[Parameters]:
    rise = max(height - 0.3 * width, 0.3 * height)
    facing = [(width / 2.1, width / 2.1, angle) for angle in (-0.2, 0.2)]
    edgewise = [(width / 2.4, width / 2.4 * depth, np.pi / 4) for depth in (0.6, 1.0, 1.6)]
    return [np.array((*np.log((wide, deep, rise)), angle)) for wide, deep, angle in (*facing, *edgewise)]


def _ellipsoid_guesses(width: float, height: float) -> list[Parameters]:
    return [np.log((width / 2, height / 2, height / 2))]


def _revolution_guesses(width: float, height: float) -> list[Parameters]:
    rise = max(height - 0.2 * width, 0.3 * height)
    return [np.log((*(radius * width for radius in profile), rise)) for profile in REVOLUTION_PROFILES]


def _rings(radii: np.ndarray, heights: np.ndarray) -> Points:
    """The points (..., r 24, 3) of level rings of these radii (..., r) and heights (..., r)."""
    points = np.empty((*radii.shape, len(UNIT_RING), 3))
    points[..., :2] = radii[..., None, None] * UNIT_RING
    points[..., 2] = heights[..., None]
    return points.reshape(*radii.shape[:-1], -1, 3)


def _sizes(logarithms: np.ndarray) -> np.ndarray:
    return np.clip(np.exp(np.clip(logarithms, -20, 20)), SMALLEST_SIZE, LARGEST_SIZE)


PRIMITIVE_FAMILIES = (
    PrimitiveFamily(box, _box_guesses),
    PrimitiveFamily(ellipsoid, _ellipsoid_guesses),
    PrimitiveFamily(revolution, _revolution_guesses),
)
