"""Copied parts without visible seams: their gradients are kept, and their tones follow from what is around the hole
(Perez, Gangnet and Blake 2003)."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

NEIGHBOURS_4 = (0, 1), (1, 0), (0, -1), (-1, 0)


def seamless_copy(picture: np.ndarray, hole: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) with each pixel of the `hole` (H, W) as what lies `offsets` (H, W, 2) away (rows and columns
    in pixels, inside the picture), but for a change of tone that is smooth within each part of one offset: the Poisson
    equation of the copied gradients, with the picture itself as its boundary."""
    rows, columns = np.nonzero(hole)
    count, size = len(rows), hole.shape
    index = np.full(size, -1)
    index[rows, columns] = np.arange(count)
    right = np.zeros((count, picture.shape[2]))
    degree, entries = np.zeros(count), []
    for step in NEIGHBOURS_4:
        there = _inside(rows + step[0], columns + step[1], size)
        near = np.where(there, rows + step[0], rows), np.where(there, columns + step[1], columns)
        inner = there & hole[near]
        own, one = _gradients(picture, rows, columns, offsets[rows, columns], step)
        other, two = _gradients(picture, rows, columns, offsets[near], step)
        two = two & inner
        known = np.maximum(one.astype(float) + two, 1)[:, None]
        right += np.where(there[:, None], (own * one[:, None] + other * two[:, None]) / known, 0)
        edge = there & ~inner
        right[edge] += picture[near][edge]
        degree += there
        entries.append((np.arange(count)[inner], index[near][inner]))
    p, q = (np.concatenate([entry[k] for entry in entries]) for k in (0, 1))
    laplacian = sparse.diags(degree) - sparse.csr_matrix((np.ones(len(p)), (p, q)), shape=(count, count))
    result = picture.astype(float).copy()
    result[rows, columns] = splu(laplacian.tocsc()).solve(right)
    return result


def _inside(rows: np.ndarray, columns: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])


def _gradients(
    picture: np.ndarray, rows: np.ndarray, columns: np.ndarray, offsets: np.ndarray, step: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """How much what is copied to pixels is above what would be copied one `step` on at the same offset (n, 3), and
    whether both lie in the picture (n)."""
    y, x = rows + offsets[:, 0], columns + offsets[:, 1]
    there = _inside(y, x, picture.shape) & _inside(y + step[0], x + step[1], picture.shape)
    y, x = np.where(there, y, rows), np.where(there, x, columns)
    down, right = np.where(there, step[0], 0), np.where(there, step[1], 0)
    return picture[y, x].astype(float) - picture[y + down, x + right], there
