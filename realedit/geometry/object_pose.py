"""On what an object stands, as its outline tells: that of the upright solid which resembles it most.

Outlines are compared by how far they reach in every direction, so what matters of one is its convex hull.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy import ndimage
from scipy.optimize import least_squares
from torch import Tensor

from realedit.geometry.boxes import mask_box, mask_centre
from realedit.geometry.camera import Camera
from realedit.geometry.primitives import FAMILIES, Family, Numbers, Points
from realedit.geometry.transform import Place, Point
from realedit.images import resize

FINE, SMOOTH = 256, 0.012  # pixels of the shorter side at which outlines are followed, and how far they are smoothed
ANGLES = np.linspace(0, 2 * np.pi, 64, endpoint=False)
DIRECTIONS = np.stack((np.cos(ANGLES), np.sin(ANGLES)))
INSIDE = 0.12  # of the width: how far above its lowest point a search for the middle of a base begins
FAMILIAR = 0.003  # of the extent: how far the outline may be off for a size that is e times nearer to its guess
ROUNDS = 8  # of a search
# Of the extent: by how much no solid that a thing resembles misses its outline; of its hull: what such a thing covers.
UNFAMILIAR, FULL = 0.02, 0.6
STEPS = 0.05, 0.3  # of a search: in the frame, and in the logarithms of sizes


@dataclass(frozen=True, eq=False)
class Outline:
    """How far an object reaches in every one of the `DIRECTIONS` (64,) from the middle of the frame, and the box
    around it (left, top, right, bottom), in shorter sides; `cut`: the frame cuts some of it off; `fills`: the share of
    its convex hull that it covers."""

    reach: np.ndarray
    box: np.ndarray
    cut: bool
    fills: float

    @classmethod
    def of(cls, mask: Tensor) -> "Outline":
        """The outline of a mask (1, 1, H, W), without the teeth that pixels give it."""
        side = min(mask.shape[-2:])
        size = round(mask.shape[-1] * FINE / side), round(mask.shape[-2] * FINE / side)
        level = ndimage.gaussian_filter(resize(mask.cpu().float(), size)[0, 0].numpy(), SMOOTH * FINE)
        inside = level > 0.5 if level.max() > 0.5 else level >= level.max()  # thinner than that
        y, x = inside.nonzero()
        corners = np.concatenate([np.stack((x + dx, y + dy), 1) for dx in (0, 1) for dy in (0, 1)])
        hull = cv2.convexHull(corners.astype(np.int32))[:, 0].astype(float)
        cut = bool((hull.min(0) <= 0).any() or (hull.max(0) >= size).any())
        fills = inside.sum() / cv2.contourArea(hull.astype(np.float32))
        hull = (hull - np.array(size) / 2) / FINE
        return cls(reached(hull), np.concatenate((hull.min(0), hull.max(0))), cut, float(fills))

    @property
    def extent(self) -> np.ndarray:
        """Its width and its height."""
        return self.box[2:] - self.box[:2]


@dataclass(frozen=True)
class Stance:
    """How an object stands: the middle of its base (x, y), which is hidden, in fractions, by how much the solid's
    outline misses its own (the root mean square over all directions, as a share of its extent), and the solid's
    `points` (n, 3)."""

    base: Point
    misfit: float
    points: Points = field(compare=False)


def stance(outline: Outline, camera: Camera) -> Stance:
    """How the object of an outline stands, in a photo that the `camera` took: on something in its lower half."""
    best = min((_fitted(outline, camera, family) for family in FAMILIES), key=lambda found: found.misfit)
    side = np.array(camera.size) / min(camera.size)
    left, top, right, bottom = (0.5 + outline.box / np.tile(side, 2)).tolist()
    x, y = best.base
    return Stance((min(max(x, left), right), min(max(y, (top + bottom) / 2), bottom)), best.misfit, best.points)


def reached(points: np.ndarray) -> np.ndarray:
    """How far points (n, 2) reach in every one of the directions (64,)."""
    return np.asarray((points @ DIRECTIONS).max(0))


def _fitted(outline: Outline, camera: Camera, family: Family) -> Stance:
    """The solid of a family that resembles it most."""
    width, height = outline.extent
    start = (outline.box[0] + outline.box[2]) / 2, outline.box[3] - INSIDE * width
    side = np.array(camera.size) / min(camera.size)
    size = float(np.sqrt(width * height))

    def base_of(at: np.ndarray) -> Point:
        x, y = 0.5 + at / side
        return float(x), float(y)

    def off(numbers: Numbers, guess: Numbers) -> np.ndarray:
        shown = (camera.seen(base_of(numbers[:2]), family.points(numbers[2:])) - 0.5) * side
        return np.concatenate(((reached(shown) - outline.reach) / size, FAMILIAR * (numbers[2:] - guess)))

    found = []
    for guess in family.guesses(width / camera.focal, height / camera.focal):
        steps = np.array([STEPS[0]] * 2 + [STEPS[1]] * len(guess))
        begin = np.concatenate((start, guess))
        found.append(least_squares(off, begin, x_scale=steps, max_nfev=ROUNDS, args=(guess,)))
    best = min(found, key=lambda result: result.cost)
    misfit = float(np.sqrt((best.fun[: len(ANGLES)] ** 2).mean()))
    return Stance(base_of(best.x[:2]), misfit, family.points(best.x[2:]))


def mask_place(mask: Tensor, camera: Camera | None = None) -> Place:
    """Where the object of a mask is, and if the `camera` that took the photo is known, how it stands there."""
    centre, box = mask_centre(mask), mask_box(mask)
    if camera is None:
        return Place(centre, box)
    outline = Outline.of(mask)
    found = stance(outline, camera)
    base, resembled = found.base, found.misfit < UNFAMILIAR and outline.fills > FULL and not outline.cut
    lowest, nearness = camera.ahead(base, box[3]), camera.nearness(base[1])
    return Place(centre, box, base, lowest, nearness, found.points if resembled else None)
