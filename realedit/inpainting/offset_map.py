"""Which offset each pixel of a hole is copied at: a photomontage of shifted pictures with the least visible seams
(Agarwala et al. 2004; He and Sun 2012, section 4)."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from realedit.inpainting.graph_cut import LabelEnergy, Reachable, fuse_all, minimise

UNKNOWN_SOURCE = 1e4  # what it costs to copy what is not known, against squared differences of colours
COVERED_RIM = 2  # pixels around the hole that are covered too, where what is copied is compared with what is there
RIM_WEIGHT = 4.0  # of a difference there
DISTANCE_COST = 0.05  # of an offset as long as the hole's side: what is near is likelier to belong here
HEIGHT_COST = 1.4  # the same up or down, against sideways: floors, tables and horizons are level
EXPECTED_WEIGHT = 1.0  # of a difference from the tones that are expected in the hole
TEXTURE_WEIGHT = 0.1  # of a squared difference of texture
MOST_TEXTURE_OFF = 2.0  # of such a difference: more is no worse
STARTS = 4  # orders in which offsets are tried
BAND = 3  # pixels beside a label's part that it may take when seams are moved


@dataclass(frozen=True, eq=False)
class HoleView:
    """A picture around a `hole` (H, W): its `colours` (H, W, 3), in which a distance of 1 is clearly seen, what is
    `known` (H, W) of it, and if anything tells, the tones that are `expected` (H, W, 3) in the hole, which has detail
    of `blur` pixels and more, and how far they are to be trusted, `trust` (H, W), None for wholly. `texture` (H, W)
    is the logarithm of the energy of fine detail, in the hole of what is expected there; None if that is all one."""

    colours: np.ndarray
    known: np.ndarray
    hole: np.ndarray
    expected: np.ndarray | None = None
    blur: float = 1.0
    trust: np.ndarray | None = None
    texture: np.ndarray | None = None

    def smoothed(self) -> np.ndarray:
        """The colours with no more detail than the expected ones (H, W, 3)."""
        return cv2.GaussianBlur(self.colours, (0, 0), self.blur)


def lay_out(view: HoleView, offsets: np.ndarray, seed: int) -> np.ndarray:
    """Which of the `offsets` (n, 2) each pixel of a hole and of its rim is copied at (H, W); -1 elsewhere, and where
    none leads to what is known. Which label comes first decides where expansions end, so that several orders are tried,
    and the best of each result is taken."""
    energy, rows, columns = _energy(view, offsets)
    random = np.random.default_rng(seed)
    found = [
        minimise(energy, energy.cost.argmin(0), random.permutation(len(offsets)), _anywhere(energy))
        for _ in range(STARTS)
    ]
    return _map(view, energy, fuse_all(energy, found), rows, columns)


def lay_out_again(view: HoleView, offsets: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The same from what a smaller picture led to, `start` (H, W): every offset may be taken anywhere."""
    energy, rows, columns = _energy(view, offsets)
    labels = _begun(energy, start[rows, columns])
    return _map(view, energy, minimise(energy, labels, range(len(offsets)), _anywhere(energy)), rows, columns)


def move_seams(view: HoleView, offsets: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The same, of which only the seams are moved: of the offsets those matter that led there."""
    used = np.unique(start[start >= 0])
    if not len(used):
        return start
    energy, rows, columns = _energy(view, offsets[used])
    among_used = np.where(start >= 0, np.searchsorted(used, start), -1)
    labels = _begun(energy, among_used[rows, columns])
    beside = _beside(energy, rows, columns, view.hole.shape)
    found = _map(view, energy, minimise(energy, labels, range(len(used)), beside), rows, columns)
    return np.where(found >= 0, used[found], -1)


def _begun(energy: LabelEnergy, before: np.ndarray) -> np.ndarray:
    """Labels (n) as they were `before` (n), or the cheapest where those are impossible."""
    return np.where((before >= 0) & _possible(energy, before), before, energy.cost.argmin(0))


def _map(view: HoleView, energy: LabelEnergy, labels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    found = np.full(view.hole.shape, -1)
    found[rows, columns] = np.where(_possible(energy, labels), labels, -1)
    return found


def _anywhere(energy: LabelEnergy) -> Reachable:
    return lambda labels, label: energy.cost[label] < UNKNOWN_SOURCE


def _possible(energy: LabelEnergy, labels: np.ndarray) -> np.ndarray:
    return energy.cost[labels, np.arange(len(labels))] < UNKNOWN_SOURCE


def shifted(picture: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """A picture (H, W, ...) as seen `offset` (rows, columns) away, 0 outside."""
    height, width = picture.shape[:2]
    down, right = int(offset[0]), int(offset[1])
    result = np.zeros_like(picture)
    rows, columns = slice(max(0, -down), min(height, height - down)), slice(max(0, -right), min(width, width - right))
    if rows.start < rows.stop and columns.start < columns.stop:
        result[rows, columns] = picture[
            rows.start + down : rows.stop + down, columns.start + right : columns.stop + right
        ]
    return result


def _energy(view: HoleView, offsets: np.ndarray) -> tuple[LabelEnergy, np.ndarray, np.ndarray]:
    """The energy of labels of the hole and its rim, and the rows and columns of these."""
    picture, known, hole = view.colours, view.known, view.hole
    rows, columns = np.nonzero(ndimage.binary_dilation(hole, iterations=COVERED_RIM) & (hole | known))
    side, rim = float(hole.sum()) ** 0.5, ~hole[rows, columns]
    own = picture[rows, columns]
    copies = np.stack([shifted(picture, offset)[rows, columns] for offset in offsets])
    there = np.stack([shifted(known, offset)[rows, columns] for offset in offsets])
    away = np.hypot(HEIGHT_COST * offsets[:, 0], offsets[:, 1]) / side
    cost = np.where(there, DISTANCE_COST * away[:, None], UNKNOWN_SOURCE)
    cost = (cost + RIM_WEIGHT * rim * np.square(copies - own).sum(2)).astype(np.float32)
    if view.expected is not None:
        smooth, expected = view.smoothed(), view.expected[rows, columns]
        weight = EXPECTED_WEIGHT if view.trust is None else EXPECTED_WEIGHT * view.trust[rows, columns]
        for each, offset in zip(cost, offsets, strict=True):
            each += weight * np.square(shifted(smooth, offset)[rows, columns] - expected).sum(1)
    if view.texture is not None:
        wanted = view.texture[rows, columns]
        for each, offset in zip(cost, offsets, strict=True):
            off = np.abs(shifted(view.texture, offset)[rows, columns] - wanted).clip(max=MOST_TEXTURE_OFF)
            each += TEXTURE_WEIGHT * ~rim * np.square(off)

    def between(a: np.ndarray, b: np.ndarray, edges: np.ndarray) -> np.ndarray:
        p, q = edges.T
        here, there = copies[a, p] - copies[b, p], copies[a, q] - copies[b, q]
        return np.einsum("ec,ec->e", here, here) + np.einsum("ec,ec->e", there, there)

    return LabelEnergy(cost, _edges(rows, columns, hole.shape), between), rows, columns


def _edges(rows: np.ndarray, columns: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """The pairs (E, 2) of neighbours among pixels."""
    index = np.full(size, -1)
    index[rows, columns] = np.arange(len(rows))
    pairs = [np.stack([a, b], -1) for a, b in ((index[:, :-1], index[:, 1:]), (index[:-1], index[1:]))]
    return np.concatenate([pair[(pair >= 0).all(-1)] for pair in pairs])


def _beside(energy: LabelEnergy, rows: np.ndarray, columns: np.ndarray, size: tuple[int, ...]) -> Reachable:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

    def reachable(labels: np.ndarray, label: int) -> np.ndarray:
        part = np.zeros(size, bool)
        part[rows, columns] = labels == label
        if not part.any():
            return np.zeros(len(labels), bool)
        near = cv2.dilate(part.view(np.uint8), cross, iterations=BAND)[rows, columns] > 0
        return near & (energy.cost[label] < UNKNOWN_SOURCE)

    return reachable
