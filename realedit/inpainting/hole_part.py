"""A hole and what is around it, and which part of it is copied from where.

Where the picture repeats is found in a small one, and so is what each part of the hole is copied from; seams are moved
in larger ones, and the pixels come from the photo itself, in tones that follow from around the hole.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from inversion.errors import EditError
from inversion.interruption import may_stop
from realedit.inpainting.offset_map import COVERED_RIM, HoleView, lay_out, lay_out_again, move_seams
from realedit.inpainting.patch_offsets import PATCH_SIDE, dominant_offsets
from realedit.inpainting.seamless import seamless_copy

REPEATS_AT = 3000  # pixels of the hole in the picture in which repetitions are looked for
LAID_OUT_AT = 400, 1600  # pixels of the hole in the pictures in which its parts are laid out, and laid out again
SEAMS_AT = 6400, 25600  # the same in those in which seams are moved, one after the other
COLOUR_UNIT = 20.0  # of L*a*b*: a difference of colours that counts as 1
SHARPEST = 0.5  # pixels of blur that make no difference
PARTLY_HIDDEN = 0.01  # share of a small pixel from which it counts as hidden


@dataclass(frozen=True, eq=False)
class HolePart:
    """The part of a photo around a hole: its `pixels` (H, W, 3), the `hole` (H, W), what else must not be copied,
    `forbidden` (H, W), and if anything tells, what is `expected` (H, W, 3) in the hole, as fine as `detail` pixels, and
    how far that is to be trusted, `trust` (H, W), None for wholly."""

    pixels: np.ndarray
    hole: np.ndarray
    forbidden: np.ndarray
    expected: np.ndarray | None = None
    detail: float = 1.0
    trust: np.ndarray | None = None

    def filled(self, seed: int) -> np.ndarray:
        """Its pixels with the hole filled (H, W, 3); in turns where one leaves pixels that no offset can reach."""
        layout = self._laid_out(seed)
        pixels = _copied(self, layout)
        rest = self.hole & ~layout.covered
        return replace(self, pixels=pixels, hole=rest).filled(seed) if rest.any() else pixels

    def sources(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows and columns (H, W) that its pixels are copied from when it is filled."""
        layout = self._laid_out(seed)
        rows, columns = np.mgrid[: self.hole.shape[0], : self.hole.shape[1]]
        rows[layout.covered], columns[layout.covered] = layout.sources()
        rest = self.hole & ~layout.covered
        if not rest.any():
            return rows, columns
        further = replace(self, pixels=self.pixels[rows, columns], hole=rest).sources(seed)
        return rows[further], columns[further]

    def _laid_out(self, seed: int) -> "_Layout":
        """Raises `EditError` if nothing is left to copy from."""
        offsets = _offsets(_Level.of(self, REPEATS_AT), seed)
        level, labels = _laid_out(self, offsets, seed)
        layout = _Layout(level, labels, level.rounded(offsets), (level.enlarged(labels) >= 0) & self.hole)
        if not layout.covered.any():
            raise EditError("nothing is left around the hole to fill it from; mark less, or take another --fill")
        return layout


@dataclass(frozen=True, eq=False)
class _Level:
    """A part of this `size` (height, width) seen smaller: its `pixels` (h, w, 3), and what there is to compare."""

    pixels: np.ndarray
    view: HoleView
    size: tuple[int, ...]

    @classmethod
    def of(cls, part: HolePart, hole_pixels: int) -> "_Level":
        """So small that the hole has about so many pixels."""
        height, width = part.hole.shape
        scale = min(1.0, (hole_pixels / part.hole.sum()) ** 0.5)
        size = max(PATCH_SIDE, round(width * scale)), max(PATCH_SIDE, round(height * scale))

        def smaller(picture: np.ndarray) -> np.ndarray:
            return cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)

        def seen(picture: np.ndarray) -> np.ndarray:
            return cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) / COLOUR_UNIT

        pixels, hole = smaller(part.pixels), smaller(part.hole) > PARTLY_HIDDEN
        known = ~hole & (smaller(part.forbidden) <= PARTLY_HIDDEN)
        view = HoleView(seen(pixels), known, hole)
        if part.expected is not None:
            blur = max(SHARPEST, part.detail * scale)
            trust = None if part.trust is None else smaller(part.trust)
            view = replace(view, expected=seen(smaller(part.expected)), blur=blur, trust=trust)
        return cls(pixels, view, part.hole.shape)

    @property
    def factor(self) -> np.ndarray:
        """How much larger the part is, down and across."""
        return np.array(self.size) / self.view.hole.shape

    def rounded(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets (n, 2) of the part, in whole pixels of this size."""
        return np.rint(offsets / self.factor).astype(int)

    def enlarged(self, labels: np.ndarray) -> np.ndarray:
        """Labels (h, w) at the part's own size."""
        return _nearest(labels, self.size)


def _nearest(labels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, labels.shape, strict=True))
    return labels[rows[:, None], columns]


def _offsets(level: _Level, seed: int) -> np.ndarray:
    """The offsets (n, 2) in pixels of the part at which its hole may be filled: those of its repetitions, and some that
    lead out of the hole on all sides."""
    found = dominant_offsets(level.view.colours, level.view.known, level.view.hole, seed)
    rows, columns = (np.flatnonzero(level.view.hole.any(axis)) for axis in (1, 0))
    down, across = (int(line[-1] - line[0]) + 1 + 2 * COVERED_RIM for line in (rows, columns))
    out = [(j * down, i * across) for j in (-1, 0, 1) for i in (-1, 0, 1) if j or i]
    return np.concatenate([found, np.array(out)]) * level.factor


def _laid_out(part: HolePart, offsets: np.ndarray, seed: int) -> tuple[_Level, np.ndarray]:
    """Which of the `offsets` (n, 2) each pixel is copied at (h, w), and the level at which that is known."""
    level = _Level.of(part, LAID_OUT_AT[0])
    labels = lay_out(level.view, level.rounded(offsets), seed)
    for hole_pixels in (LAID_OUT_AT[1], *SEAMS_AT):
        may_stop()
        level = _Level.of(part, hole_pixels)
        improved = move_seams if hole_pixels in SEAMS_AT else lay_out_again
        labels = improved(level.view, level.rounded(offsets), _nearest(labels, level.view.hole.shape))
    return level, labels


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which of the `offsets` (n, 2), in pixels of a `level`, each pixel there is copied at, `labels` (h, w), and which
    pixels of the part that covers, `covered` (H, W)."""

    level: _Level
    labels: np.ndarray
    offsets: np.ndarray
    covered: np.ndarray

    def own(self) -> np.ndarray:
        """The label (n) of each covered pixel of the part."""
        return self.level.enlarged(self.labels)[self.covered]

    def sources(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows and columns (n) that the covered pixels are copied from."""
        rows, columns = np.nonzero(self.covered)
        full = np.rint(self.offsets[self.own()] * self.level.factor).astype(int)
        height, width = self.covered.shape
        return (rows + full[:, 0]).clip(0, height - 1), (columns + full[:, 1]).clip(0, width - 1)


def _copied(part: HolePart, layout: _Layout) -> np.ndarray:
    """The part's pixels (H, W, 3) with what is covered copied at its own size, in tones that make seams vanish."""
    level, labels = layout.level, layout.labels
    inside = (labels >= 0) & level.view.hole
    shifts = layout.offsets[labels.clip(min=0)]
    plain = level.pixels.copy()
    rows, columns = np.nonzero(inside)
    plain[inside] = level.pixels[rows + shifts[inside][:, 0], columns + shifts[inside][:, 1]]
    may_stop()
    toned = seamless_copy(level.pixels, inside, shifts)
    rows, columns = np.nonzero(layout.covered)
    places = rows, columns
    change = _change_at(places, toned - plain, level, labels, layout.own())
    result = part.pixels.copy()
    result[places] = (part.pixels[layout.sources()] + change).clip(0, 1)
    return result


def _change_at(
    places: tuple[np.ndarray, np.ndarray], change: np.ndarray, level: _Level, labels: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """A change (h, w, 3) of a level's tones at places of the part (n, 3), interpolated between pixels of the same label
    as each has itself (n)."""
    y, x = ((place + 0.5) / factor - 0.5 for place, factor in zip(places, level.factor, strict=True))
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    total, weights = np.zeros((len(own), 3)), np.zeros(len(own))
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        may_stop()
        near = (top + down).clip(0, labels.shape[0] - 1), (left + across).clip(0, labels.shape[1] - 1)
        weight = (1 - np.abs(y - top - down)) * (1 - np.abs(x - left - across))
        weight = weight * (labels[near] == own) * level.view.hole[near] + 1e-9
        total += weight[:, None] * change[near]
        weights += weight
    return total / weights[:, None]
