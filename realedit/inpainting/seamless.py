"""Holes filled so that no edge shows around them: copied parts whose tones follow from what is around (Perez, Gangnet
and Blake 2003), and the smoothest tones that go on from there.

What does not match says nothing of tones: where a hole ends at another thing, a copy may well be unlike that, and its
colour must not bleed in.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from inversion.interruption import may_stop

NEIGHBOURS_4 = (0, 1), (1, 0), (0, -1), (-1, 0)
MISMATCH_WIDTH = 0.35  # of full brightness: a difference across a seam that counts for e times less than none
LEAST_LINK = 1e-5  # what the worst match counts for, so that no part is without any


def seamless_copy(picture: np.ndarray, hole: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) with each pixel of the `hole` (H, W) as what lies `offsets` (H, W, 2) away (rows and columns
    in pixels, inside the picture), but for a change of tone that is smooth within each part of one offset: the Poisson
    equation of the copied gradients, with the picture itself as its boundary."""
    grid, sides = _Grid.of(hole), []
    for step, (there, near) in zip(NEIGHBOURS_4, grid.neighbours(), strict=True):
        may_stop()
        mine, one = _copied(picture, grid, offsets[grid.rows, grid.columns], step)
        theirs, two = _copied(picture, grid, offsets[near], step)
        inner = two & there & hole[near]
        theirs = np.where(inner[:, None, None], theirs, mine)
        known, both = np.stack([one, inner], 1), np.stack([mine[:, 0] - mine[:, 1], theirs[:, 0] - theirs[:, 1]], 1)
        gradient = (known[..., None] * both).sum(1) / np.maximum(known.sum(1), 1)[:, None]
        seam = np.where(inner, np.abs(mine - theirs).mean((1, 2)), np.abs(picture[near] - mine[:, 1]).mean(1))
        outside = there & ~hole[near]
        mismatch = np.where(inner | (outside & one), seam, 0)
        sides.append(_Side(gradient, np.exp(-np.square(mismatch / MISMATCH_WIDTH)) + LEAST_LINK))
    return grid.solved(picture, sides)


def harmonic_fill(picture: np.ndarray, hole: np.ndarray, trust: np.ndarray | None = None) -> np.ndarray:
    """A picture (H, W, C) with its `hole` (H, W) as smooth as what is around it allows: the Laplace equation. `trust`
    (H, W), from 0 to 1, is how much each pixel around it says; None: all say as much. A hole that is the whole picture
    is left as it is."""
    if hole.all() or not hole.any():
        return picture.astype(float).copy()
    grid = _Grid.of(hole)
    none = np.zeros((len(grid.rows), picture.shape[2]))
    trust = np.ones(hole.shape) if trust is None else np.where(hole, 1, trust)
    return grid.solved(picture, [_Side(none, trust[near] + LEAST_LINK) for _, near in grid.neighbours()])


@dataclass(frozen=True, eq=False)
class _Side:
    """Of the pixels of a hole against their neighbours on one side: by how much they shall differ, `gradient` (n, C),
    and how much that counts, `weight` (n)."""

    gradient: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class _Grid:
    """The pixels of a `hole` (H, W), by their `rows` and `columns` (n)."""

    hole: np.ndarray
    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, hole: np.ndarray) -> "_Grid":
        return cls(hole, *np.nonzero(hole))

    def neighbours(self) -> list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]]:
        """On each side whether there is a neighbour (n), and its rows and columns (n), else the pixel's own."""
        found = []
        for down, right in NEIGHBOURS_4:
            there = _inside(self.rows + down, self.columns + right, self.hole.shape)
            near = np.where(there, self.rows + down, self.rows), np.where(there, self.columns + right, self.columns)
            found.append((there, near))
        return found

    def solved(self, picture: np.ndarray, sides: list[_Side]) -> np.ndarray:
        """The picture (H, W, C) with the hole so that its pixels differ from their neighbours as the `sides` say, in
        the least squares of their weights."""
        may_stop()
        count = len(self.rows)
        index = np.full(self.hole.shape, -1)
        index[self.rows, self.columns] = np.arange(count)
        right, degree, links = np.zeros((count, picture.shape[2])), np.zeros(count), []
        for (there, near), side in zip(self.neighbours(), sides, strict=True):
            weight = side.weight * there
            inner = there & self.hole[near]
            edge = there & ~inner
            right += weight[:, None] * side.gradient
            right[edge] += weight[edge, None] * picture[near][edge]
            degree += weight
            links.append(np.stack([np.flatnonzero(inner), index[near][inner], weight[inner]]))
        p, q, weight = np.concatenate(links, 1)
        pulls = sparse.csr_matrix((weight, (p.astype(int), q.astype(int))), shape=(count, count))
        result = picture.astype(float).copy()
        result[self.rows, self.columns] = splu((sparse.diags(degree) - pulls).tocsc()).solve(right)
        return result


def _inside(rows: np.ndarray, columns: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])


def _copied(
    picture: np.ndarray, grid: _Grid, offsets: np.ndarray, step: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """What is copied to each pixel, and what would be copied one `step` on at the same offset (n, 2, 3); and whether
    both lie in the picture (n)."""
    y, x = grid.rows + offsets[:, 0], grid.columns + offsets[:, 1]
    there = _inside(y, x, picture.shape) & _inside(y + step[0], x + step[1], picture.shape)
    y, x = np.where(there, y, grid.rows), np.where(there, x, grid.columns)
    down, right = np.where(there, step[0], 0), np.where(there, step[1], 0)
    return np.stack([picture[y, x], picture[y + down, x + right]], 1).astype(float), there
