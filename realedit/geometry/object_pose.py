"""On what an object stands, as its outline tells: that of the upright solid which resembles it most.

Outlines are compared by how far they reach in every direction, so what matters of one is its convex hull.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy import ndimage
from torch import Tensor

from realedit.geometry.boxes import mask_box, mask_centre
from realedit.geometry.camera import Camera
from realedit.geometry.primitives import PRIMITIVE_FAMILIES, Parameters, Points, PrimitiveFamily
from realedit.geometry.transform import ObjectPose, Point
from realedit.images import resize

SILHOUETTE_SIDE, SILHOUETTE_SMOOTHING = (
    256,
    0.012,
)  # pixels of the shorter side at which outlines are followed, and how far they are smoothed
SUPPORT_ANGLES = np.linspace(0, 2 * np.pi, 64, endpoint=False)
SUPPORT_DIRECTIONS = np.stack((np.cos(SUPPORT_ANGLES), np.sin(SUPPORT_ANGLES)))
BASE_GUESS = 0.12  # of the width: how far above its lowest point a search for the middle of a base begins
SIZE_PRIOR = 0.003  # of the extent: how far the outline may be off for a size that is e times nearer to its guess
FIT_EVALUATIONS = 8  # of a search
# Of the extent: by how much no solid that a thing resembles misses its outline; of its hull: what such a thing covers.
LARGEST_RESIDUAL, LEAST_SOLIDITY = 0.02, 0.6
DIFFERENCE_STEP = 2.0**-26  # over which slopes are told by differences: the root of what floating numbers can tell
FIT_STEPS = 0.05, 0.3  # of a search: in the frame, and in the logarithms of sizes


@dataclass(frozen=True, eq=False)
class Silhouette:
    """How far an object reaches in every one of the `SUPPORT_DIRECTIONS` (64,) from the middle of the frame, and the
    box around it (left, top, right, bottom), in shorter sides; `truncated`: the frame cuts some of it off; `solidity`:
    the share of its convex hull that it covers."""

    support: np.ndarray
    box: np.ndarray
    truncated: bool
    solidity: float

    @classmethod
    def of(cls, mask: Tensor) -> "Silhouette":
        """The outline of a mask (1, 1, H, W), without the teeth that pixels give it."""
        side = min(mask.shape[-2:])
        size = round(mask.shape[-1] * SILHOUETTE_SIDE / side), round(mask.shape[-2] * SILHOUETTE_SIDE / side)
        level = ndimage.gaussian_filter(
            resize(mask.cpu().float(), size)[0, 0].numpy(), SILHOUETTE_SMOOTHING * SILHOUETTE_SIDE
        )
        inside = level > 0.5 if level.max() > 0.5 else level >= level.max()  # thinner than that
        y, x = inside.nonzero()
        corners = np.concatenate([np.stack((x + dx, y + dy), 1) for dx in (0, 1) for dy in (0, 1)])
        hull = cv2.convexHull(corners.astype(np.int32))[:, 0].astype(float)
        cut = bool((hull.min(0) <= 0).any() or (hull.max(0) >= size).any())
        fills = inside.sum() / cv2.contourArea(hull.astype(np.float32))
        hull = (hull - np.array(size) / 2) / SILHOUETTE_SIDE
        return cls(support_of(hull), np.concatenate((hull.min(0), hull.max(0))), cut, float(fills))

    @property
    def extent(self) -> np.ndarray:
        """Its width and its height."""
        return self.box[2:] - self.box[:2]


@dataclass(frozen=True)
class PrimitiveFit:
    """How an object stands: the middle of its base (x, y), which is hidden, in fractions, by how much the solid's
    outline misses its own (the root mean square over all directions, as a share of its extent), and the solid's
    `points` (n, 3)."""

    base: Point
    residual: float
    points: Points = field(compare=False)


def fit_primitive(outline: Silhouette, camera: Camera) -> PrimitiveFit:
    """How the object of an outline stands, in a photo that the `camera` took: on something in its lower half."""
    best = min(
        (_fit_family(outline, camera, family) for family in PRIMITIVE_FAMILIES), key=lambda found: found.residual
    )
    side = np.array(camera.size) / min(camera.size)
    left, top, right, bottom = (0.5 + outline.box / np.tile(side, 2)).tolist()
    x, y = best.base
    return PrimitiveFit((min(max(x, left), right), min(max(y, (top + bottom) / 2), bottom)), best.residual, best.points)


def support_of(points: np.ndarray) -> np.ndarray:
    """How far points (..., n, 2) reach in every one of the directions (..., 64)."""
    return np.asarray((points @ SUPPORT_DIRECTIONS).max(-2))


def _fit_family(outline: Silhouette, camera: Camera, family: PrimitiveFamily) -> PrimitiveFit:
    """The solid of a family that resembles it most."""
    from scipy.optimize import least_squares  # half a second, and few photos' cameras are known

    width, height = outline.extent
    start = (outline.box[0] + outline.box[2]) / 2, outline.box[3] - BASE_GUESS * width
    side = np.array(camera.size) / min(camera.size)
    size = float(np.sqrt(width * height))

    def base_of(at: np.ndarray) -> Point:
        x, y = 0.5 + at / side
        return float(x), float(y)

    def support(numbers: np.ndarray) -> np.ndarray:
        base = 0.5 + numbers[..., None, :2] / side
        return support_of((camera.project(base, family.points(numbers[..., 2:])) - 0.5) * side)

    def off(numbers: Parameters, guess: Parameters) -> np.ndarray:
        return np.concatenate(((support(numbers) - outline.support) / size, SIZE_PRIOR * (numbers[2:] - guess)))

    def slopes(numbers: Parameters, guess: Parameters) -> np.ndarray:
        steps = DIFFERENCE_STEP * np.where(numbers < 0, -1, 1) * np.maximum(1, np.abs(numbers))
        found = support(numbers + np.concatenate((np.zeros((1, len(steps))), np.diag(steps))))
        outer = (found[1:] - found[0]).T / (size * steps)
        return np.concatenate((outer, SIZE_PRIOR * np.eye(len(guess), len(numbers), 2)))

    found = []
    for guess in family.guesses(width / camera.focal, height / camera.focal):
        steps = np.array([FIT_STEPS[0]] * 2 + [FIT_STEPS[1]] * len(guess))
        begin = np.concatenate((start, guess))
        found.append(least_squares(off, begin, slopes, x_scale=steps, max_nfev=FIT_EVALUATIONS, args=(guess,)))
    best = min(found, key=lambda result: result.cost)
    misfit = float(np.sqrt((best.fun[: len(SUPPORT_ANGLES)] ** 2).mean()))
    return PrimitiveFit(base_of(best.x[:2]), misfit, family.points(best.x[2:]))


def object_pose(mask: Tensor, camera: Camera | None = None) -> ObjectPose:
    """Where the object of a mask is, and if the `camera` that took the photo is known, how it stands there."""
    centre, box = mask_centre(mask), mask_box(mask)
    if camera is None:
        return ObjectPose(centre, box)
    outline = Silhouette.of(mask)
    found = fit_primitive(outline, camera)
    base, resembled = (
        found.base,
        found.residual < LARGEST_RESIDUAL and outline.solidity > LEAST_SOLIDITY and not outline.truncated,
    )
    lowest, inverse_depth = camera.along_ground(base, box[3]), camera.inverse_depth(base[1])
    return ObjectPose(centre, box, base, lowest, inverse_depth, found.points if resembled else None)
