"""How something that resembles an upright solid looks where it goes: nearer or lower it shows more of its top, and what
is on its sides lies otherwise. No torch."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from realedit.geometry.camera import Camera
from realedit.geometry.transform import Box, GridWarp, ObjectPose, Placement, Point

GRID_POINTS = 96  # points to a side, on which it is worked out
GRID_MARGIN = 0.3  # of an object's box, on every side: how much larger it may look
HIDDEN_SMOOTHING = 0.025  # of the grid: over how much of it differs less and less what is guessed, where it was hidden
SIZE_ROUNDS = 2  # of getting its size and its place right
LEAST_APPROACH = 1e-9  # of a sight's length: what is no nearer to a face's plane runs along it


@dataclass(frozen=True, eq=False)
class _PosedPrimitive:
    """A solid's `points` (n, 3) that was seen to stand `here` and stands `there`, `nearer` times as near, both (x, y)
    in fractions, and shows the camera the same side."""

    camera: Camera
    points: np.ndarray
    here: Point
    there: Point
    nearer: float

    @property
    def _to_before(self) -> np.ndarray:
        """(3, 3): what comes from where it stands now to what it was, (right, away, up)."""
        angle = self.camera.bearing(self.there) - self.camera.bearing(self.here)
        cos, sin = math.cos(angle), math.sin(angle)
        return np.array(((cos, -sin, 0), (sin, cos, 0), (0, 0, 1))) / self.nearer

    def sources_of(self, points: np.ndarray) -> np.ndarray:
        """Where points (..., 2) of the photo that show it `there` were before, (..., 2). Of faces that were hidden, and
        beside it, they come from as far beside what was seen as they are beside what is."""
        before = self._affine_sources(points)
        hit, seen = self._surface(points)
        if not seen.any():
            return before
        offset = self.camera.project(self.here, hit) - before
        nearest = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
        offset = offset[tuple(nearest)]
        smooth = ndimage.gaussian_filter(offset, (*[HIDDEN_SMOOTHING * n for n in seen.shape], 0), mode="nearest")
        return before + np.where(seen[..., None], offset, smooth)

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What of the solid shows at points (..., 2) as it stands `there`, (..., 3), and if that was seen `here`."""
        faces = ConvexHull(self.points).equations
        eye, sights = (q @ self._to_before.T for q in self.camera.rays(self.there, points))
        towards = sights @ faces[:, :3].T
        towards = np.where(np.abs(towards) < LEAST_APPROACH, LEAST_APPROACH, towards)
        until = -(faces[:, :3] @ eye + faces[:, 3]) / towards
        enters = np.where(towards < 0, until, -np.inf)
        leaves = np.where(towards > 0, until, np.inf).min(-1)
        face, first = enters.argmax(-1), enters.max(-1)
        was, _ = self.camera.rays(self.here, points)
        open_before = faces[:, :3] @ was + faces[:, 3] > 0
        seen = (first > 0) & (first < leaves) & open_before[face]
        return eye + np.where(seen, first, 0)[..., None] * sights, seen

    def _affine_sources(self, points: np.ndarray) -> np.ndarray:
        """The same as if all of it were flat: by the linear map that fits best."""
        now = self.points @ np.linalg.inv(self._to_before).T
        before = self.camera.project(self.here, self.points) - self.here
        after = self.camera.project(self.there, now) - self.there
        linear, *_ = np.linalg.lstsq(after, before, rcond=None)
        return np.asarray((points - self.there) @ linear + self.here)


def facing_camera(placement: Placement, camera: Camera) -> Placement:
    """A placement of something flat that shows the camera the same side where it goes."""
    return replace(placement, linear=camera.view_change(placement.anchor, placement.target))


def reproject(placement: Placement, pose: ObjectPose, mask: np.ndarray, camera: Camera) -> Placement:
    """A placement of the object of a `mask` (H, W), which stands in a `pose`, as it looks where it goes, in the photo
    that the `camera` took. What is set down by its base comes out as large as it is seen to be there; all else lies in
    the middle of where it was to be, and is as large."""
    turned = facing_camera(placement, camera)
    if pose.base is None or pose.primitive is None or placement.identity:
        return turned
    posed = _PosedPrimitive(camera, pose.primitive, pose.base, turned(pose.base), placement.scale)
    box = _grown(pose.box)
    grid = _grid(box)
    if placement.anchor == pose.base:
        sources = posed.sources_of(_placed(turned, grid))
    else:
        sources = _size_and_place_kept(posed, turned, grid, mask)
    return replace(turned, grid_warp=GridWarp(box, sources))


def _size_and_place_kept(
    posed: _PosedPrimitive, placement: Placement, grid: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """The sources for points `grid` (n, n, 2) at which the mask has the area and the centre of mass that it had."""
    area, centre = _moments(_sampled(mask, grid), grid)
    scale, middle = 1.0, centre
    for _ in range(SIZE_ROUNDS):
        sources = posed.sources_of(_placed(placement, middle + scale * (grid - centre)))
        found, at = _moments(_sampled(mask, sources), grid)
        if not found:
            return grid
        middle, scale = middle + scale * (at - centre), scale * math.sqrt(found / area)
    return posed.sources_of(_placed(placement, middle + scale * (grid - centre)))


def _moments(level: np.ndarray, grid: np.ndarray) -> tuple[float, np.ndarray]:
    """The sum and the centre of mass (x, y) of levels (n, n) at the points of a grid (n, n, 2)."""
    total = float(level.sum())
    return total, (level[..., None] * grid).sum((0, 1)) / max(total, 1e-9)


def _sampled(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The values of a mask (H, W) at points (..., 2)."""
    height, width = mask.shape
    return ndimage.map_coordinates(mask, (points[..., 1] * height - 0.5, points[..., 0] * width - 0.5), order=1)


def _placed(placement: Placement, points: np.ndarray) -> np.ndarray:
    """Where a placement takes points (..., 2)."""
    return np.asarray((points - placement.anchor) @ (placement.scale * np.array(placement.linear)).T + placement.target)


def _grown(box: Box) -> Box:
    left, top, right, bottom = box
    wide, high = GRID_MARGIN * (right - left), GRID_MARGIN * (bottom - top)
    return left - wide, top - high, right + wide, bottom + high


def _grid(box: Box) -> np.ndarray:
    """The points (n, n, 2) of a grid over a box, edges included."""
    across, down = (np.linspace(*edges, GRID_POINTS) for edges in ((box[0], box[2]), (box[1], box[3])))
    return np.stack(np.meshgrid(across, down), -1)
