"""What each part of a hole is copied from, and the copying.

Where the picture repeats is found in a small one, and so is what each part of the hole is copied from; seams are moved
in larger ones, and the pixels come from the photo itself, in tones that follow from around the hole.
"""

from dataclasses import dataclass, replace

import numpy as np

from inversion.errors import EditError
from inversion.interruption import may_stop
from realedit.inpainting.hole_part import HolePart, Level, nearest
from realedit.inpainting.offset_map import COVERED_RIM, lay_out, lay_out_again, move_seams
from realedit.inpainting.patch_offsets import dominant_offsets
from realedit.inpainting.seamless import seamless_copy

REPEATS_AT = 3000  # pixels of the hole in the picture in which repetitions are looked for
LAID_OUT_AT = 400, 1600  # pixels of the hole in the pictures in which its parts are laid out, and laid out again
SEAMS_AT = 6400, 25600  # the same in those in which seams are moved, one after the other


def filled(part: HolePart, seed: int) -> np.ndarray:
    """The pixels (H, W, 3) of a part with its hole filled; in turns where one leaves some that no offset can reach."""
    layout = _layout(part, seed)
    pixels = _copied(part, layout)
    rest = part.hole & ~layout.covered
    return filled(replace(part, pixels=pixels, hole=rest), seed) if rest.any() else pixels


def sources(part: HolePart, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns (H, W) that the pixels of a part are copied from when it is filled."""
    layout = _layout(part, seed)
    rows, columns = np.mgrid[: part.hole.shape[0], : part.hole.shape[1]]
    rows[layout.covered], columns[layout.covered] = layout.sources()
    rest = part.hole & ~layout.covered
    if not rest.any():
        return rows, columns
    further = sources(replace(part, pixels=part.pixels[rows, columns], hole=rest), seed)
    return rows[further], columns[further]


def _layout(part: HolePart, seed: int) -> "_Layout":
    """Raises `EditError` if nothing is left to copy from."""
    offsets = _offsets(Level.of(part, REPEATS_AT), seed)
    level, labels = _laid_out(part.textured(), offsets, seed)
    layout = _Layout(level, labels, level.rounded(offsets), (level.enlarged(labels) >= 0) & part.hole)
    if not layout.covered.any():
        raise EditError("nothing is left around the hole to fill it from; mark less, or take another --fill")
    return layout


def _offsets(level: Level, seed: int) -> np.ndarray:
    """The offsets (n, 2) in pixels of the part at which its hole may be filled: those of its repetitions, and some that
    lead out of the hole on all sides."""
    found = dominant_offsets(level.view.colours, level.view.known, level.view.hole, seed)
    rows, columns = (np.flatnonzero(level.view.hole.any(axis)) for axis in (1, 0))
    down, across = (int(line[-1] - line[0]) + 1 + 2 * COVERED_RIM for line in (rows, columns))
    out = [(j * down, i * across) for j in (-1, 0, 1) for i in (-1, 0, 1) if j or i]
    return np.concatenate([found, np.array(out)]) * level.factor


def _laid_out(part: HolePart, offsets: np.ndarray, seed: int) -> tuple[Level, np.ndarray]:
    """Which of the `offsets` (n, 2) each pixel is copied at (h, w), and the level at which that is known."""
    level = Level.of(part, LAID_OUT_AT[0])
    labels = lay_out(level.view, level.rounded(offsets), seed)
    for hole_pixels in (LAID_OUT_AT[1], *SEAMS_AT):
        may_stop()
        level = Level.of(part, hole_pixels)
        improved = move_seams if hole_pixels in SEAMS_AT else lay_out_again
        labels = improved(level.view, level.rounded(offsets), nearest(labels, level.view.hole.shape))
    return level, labels


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which of the `offsets` (n, 2), in pixels of a `level`, each pixel there is copied at, `labels` (h, w), and which
    pixels of the part that covers, `covered` (H, W)."""

    level: Level
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
    places: tuple[np.ndarray, np.ndarray], change: np.ndarray, level: Level, labels: np.ndarray, own: np.ndarray
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
