"""How something that resembles an upright solid looks where it goes: nearer or lower it shows more of its top, and what
is on its sides lies otherwise. No torch."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from realedit.geometry.camera import Camera
from realedit.geometry.transform import Bend, Box, Place, Placement, Point

GRID = 96  # points to a side, on which it is worked out
ROOM = 0.3  # of an object's box, on every side: how much larger it may look
SMOOTH = 0.025  # of the grid: over how much of it differs less and less what is guessed, where it was hidden
ROUNDS = 2  # of getting its size and its place right
ABOVE_ALL = 1e-9  # of a sight's length: what is no nearer to a face's plane runs along it


@dataclass(frozen=True, eq=False)
class _Stood:
    """A solid's `points` (n, 3) that was seen to stand `here` and stands `there`, `nearer` times as near, both (x, y)
    in fractions, and shows the camera the same side."""

    camera: Camera
    points: np.ndarray
    here: Point
    there: Point
    nearer: float

    @property
    def _turned(self) -> np.ndarray:
        """(3, 3): what comes from where it stands now to what it was, (right, away, up)."""
        angle = self.camera.bearing(self.there) - self.camera.bearing(self.here)
        cos, sin = math.cos(angle), math.sin(angle)
        return np.array(((cos, -sin, 0), (sin, cos, 0), (0, 0, 1))) / self.nearer

    def came_from(self, points: np.ndarray) -> np.ndarray:
        """Where points (..., 2) of the photo that show it `there` were before, (..., 2). Of faces that were hidden, and
        beside it, they come from as far beside what was seen as they are beside what is."""
        before = self._evenly(points)
        hit, seen = self._surface(points)
        if not seen.any():
            return before
        offset = self.camera.seen(self.here, hit) - before
        nearest = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
        offset = offset[tuple(nearest)]
        smooth = ndimage.gaussian_filter(offset, (*[SMOOTH * n for n in seen.shape], 0), mode="nearest")
        return before + np.where(seen[..., None], offset, smooth)

    def _surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What of the solid shows at points (..., 2) as it stands `there`, (..., 3), and if that was seen `here`."""
        faces = ConvexHull(self.points).equations
        eye, sights = (q @ self._turned.T for q in self.camera.from_upright(self.there, points))
        towards = sights @ faces[:, :3].T
        towards = np.where(np.abs(towards) < ABOVE_ALL, ABOVE_ALL, towards)
        until = -(faces[:, :3] @ eye + faces[:, 3]) / towards
        enters = np.where(towards < 0, until, -np.inf)
        leaves = np.where(towards > 0, until, np.inf).min(-1)
        face, first = enters.argmax(-1), enters.max(-1)
        was, _ = self.camera.from_upright(self.here, points)
        open_before = faces[:, :3] @ was + faces[:, 3] > 0
        seen = (first > 0) & (first < leaves) & open_before[face]
        return eye + np.where(seen, first, 0)[..., None] * sights, seen

    def _evenly(self, points: np.ndarray) -> np.ndarray:
        """The same as if all of it were flat: by the linear map that fits best."""
        now = self.points @ np.linalg.inv(self._turned).T
        before = self.camera.seen(self.here, self.points) - self.here
        after = self.camera.seen(self.there, now) - self.there
        linear, *_ = np.linalg.lstsq(after, before, rcond=None)
        return np.asarray((points - self.there) @ linear + self.here)


def seen_there(placement: Placement, place: Place, mask: np.ndarray, camera: Camera) -> Placement:
    """A placement of the object of a `mask` (H, W), which is at a `place`, as it looks where it goes, in the photo that
    the `camera` took. What is set down by its base comes out as large as it is seen to be there; all else lies in the
    middle of where it was to be, and is as large."""
    turned = replace(placement, turn=camera.turn(placement.anchor, placement.target))
    if place.base is None or place.solid is None or placement.identity:
        return turned
    stood = _Stood(camera, place.solid, place.base, turned(place.base), placement.scale)
    box = _grown(place.box)
    grid = _grid(box)
    sources = stood.came_from(_placed(turned, grid))
    if placement.anchor != place.base:
        sources = _as_asked(stood, turned, grid, mask)
    return replace(turned, bend=Bend(box, sources))


def _as_asked(stood: _Stood, placement: Placement, grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The sources for points `grid` (n, n, 2) at which the mask has the area and the centre of mass that it had."""
    area, centre = _moments(_read(mask, grid), grid)
    scale, middle = 1.0, centre
    for _ in range(ROUNDS):
        sources = stood.came_from(_placed(placement, middle + scale * (grid - centre)))
        found, at = _moments(_read(mask, sources), grid)
        if not found:
            return grid
        middle, scale = middle + scale * (at - centre), scale * math.sqrt(found / area)
    return stood.came_from(_placed(placement, middle + scale * (grid - centre)))


def _moments(level: np.ndarray, grid: np.ndarray) -> tuple[float, np.ndarray]:
    """The sum and the centre of mass (x, y) of levels (n, n) at the points of a grid (n, n, 2)."""
    total = float(level.sum())
    return total, (level[..., None] * grid).sum((0, 1)) / max(total, 1e-9)


def _read(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The values of a mask (H, W) at points (..., 2)."""
    height, width = mask.shape
    return ndimage.map_coordinates(mask, (points[..., 1] * height - 0.5, points[..., 0] * width - 0.5), order=1)


def _placed(placement: Placement, points: np.ndarray) -> np.ndarray:
    """Where a placement takes points (..., 2)."""
    return np.asarray((points - placement.anchor) @ (placement.scale * np.array(placement.turn)).T + placement.target)


def _grown(box: Box) -> Box:
    left, top, right, bottom = box
    wide, high = ROOM * (right - left), ROOM * (bottom - top)
    return left - wide, top - high, right + wide, bottom + high


def _grid(box: Box) -> np.ndarray:
    """The points (n, n, 2) of a grid over a box, edges included."""
    across, down = (np.linspace(*edges, GRID) for edges in ((box[0], box[2]), (box[1], box[3])))
    return np.stack(np.meshgrid(across, down), -1)
