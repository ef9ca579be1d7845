"""Holes filled so that no edge shows around them: copied parts whose tones follow from what is around (Perez, Gangnet
and Blake 2003), and the smoothest tones that go on from there."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

NEIGHBOURS_4 = (0, 1), (1, 0), (0, -1), (-1, 0)


def seamless_copy(picture: np.ndarray, hole: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) with each pixel of the `hole` (H, W) as what lies `offsets` (H, W, 2) away (rows and columns
    in pixels, inside the picture), but for a change of tone that is smooth within each part of one offset: the Poisson
    equation of the copied gradients, with the picture itself as its boundary."""
    grid = _Grid.of(hole)
    gradients = np.zeros((len(grid.rows), picture.shape[2]))
    for step, (there, near) in zip(NEIGHBOURS_4, grid.neighbours(), strict=True):
        own, one = _copied_gradients(picture, grid, offsets[grid.rows, grid.columns], step)
        other, two = _copied_gradients(picture, grid, offsets[near], step)
        two = two & there & hole[near]
        known = np.maximum(one.astype(float) + two, 1)[:, None]
        gradients += np.where(there[:, None], (own * one[:, None] + other * two[:, None]) / known, 0)
    return grid.solved(picture, gradients)


def harmonic_fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A picture (H, W, C) with its `hole` (H, W) as smooth as what is around it allows: the Laplace equation. A hole
    that is the whole picture is left as it is."""
    if hole.all() or not hole.any():
        return picture.astype(float).copy()
    grid = _Grid.of(hole)
    return grid.solved(picture, np.zeros((len(grid.rows), picture.shape[2])))


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

    def solved(self, picture: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The picture (H, W, C) with the hole so that the differences from each pixel to all its neighbours sum up to
        `gradients` (n, C)."""
        count = len(self.rows)
        index = np.full(self.hole.shape, -1)
        index[self.rows, self.columns] = np.arange(count)
        right, degree, pairs = gradients.copy(), np.zeros(count), []
        for there, near in self.neighbours():
            inner = there & self.hole[near]
            edge = there & ~inner
            right[edge] += picture[near][edge]
            degree += there
            pairs.append(np.stack([np.flatnonzero(inner), index[near][inner]]))
        p, q = np.concatenate(pairs, 1)
        laplacian = sparse.diags(degree) - sparse.csr_matrix((np.ones(len(p)), (p, q)), shape=(count, count))
        result = picture.astype(float).copy()
        result[self.rows, self.columns] = splu(laplacian.tocsc()).solve(right)
        return result


def _inside(rows: np.ndarray, columns: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])


def _copied_gradients(
    picture: np.ndarray, grid: _Grid, offsets: np.ndarray, step: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """How much what is copied to each pixel is above what would be copied one `step` on at the same offset (n, 3), and
    whether both lie in the picture (n)."""
    y, x = grid.rows + offsets[:, 0], grid.columns + offsets[:, 1]
    there = _inside(y, x, picture.shape) & _inside(y + step[0], x + step[1], picture.shape)
    y, x = np.where(there, y, grid.rows), np.where(there, x, grid.columns)
    down, right = np.where(there, step[0], 0), np.where(there, step[1], 0)
    return picture[y, x].astype(float) - picture[y + down, x + right], there
