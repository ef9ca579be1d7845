"""The offsets at which a picture repeats around a hole: the statistics of its patches (He and Sun 2012, section 3)."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage
from scipy.spatial import KDTree

from inversion.interruption import may_stop

PATCH_SIDE = 8  # pixels
PATCH_COMPONENTS = 16  # principal components by which patches are compared
MOST_REFERENCES, MOST_QUERIES = 12000, 2500  # patches that are searched, and that are looked for
NEIGHBOURS = 24  # of a patch, among which the nearest is taken that is far enough away
COMPARED_REACH = 0.8  # in sides of the hole: how far from it patches are looked for
LEAST_OFFSET = 0.125  # in sides of the hole: a smaller offset says no more than that pictures are smooth
LEAST_OFFSET_PIXELS = 6  # the same in pixels
HISTOGRAM_WIDTH = 1.4  # pixels, standard deviation: offsets that differ by less are one
MOST_OFFSETS = 120


def dominant_offsets(picture: np.ndarray, known: np.ndarray, hole: np.ndarray, seed: int) -> np.ndarray:
    """The offsets (n, 2), rows and columns in pixels, at which most patches around a `hole` (H, W) of a picture
    (H, W, 3) find what is most like them, commonest first; only pixels that are `known` (H, W) count. None, (0, 2),
    where too little is known."""
    patches = sliding_window_view(picture, (PATCH_SIDE, PATCH_SIDE), axis=(0, 1))
    whole = sliding_window_view(known, (PATCH_SIDE, PATCH_SIDE)).all((2, 3))
    middle = PATCH_SIDE // 2
    side = float(hole.sum()) ** 0.5
    away = ndimage.distance_transform_edt(~hole)[middle:, middle:][: whole.shape[0], : whole.shape[1]]
    random = np.random.default_rng(seed)
    references = _some(np.argwhere(whole), MOST_REFERENCES, random)
    queries = _some(np.argwhere(whole & (away < COMPARED_REACH * side)), MOST_QUERIES, random)
    if len(references) <= PATCH_COMPONENTS or not len(queries):
        return np.zeros((0, 2), int)
    may_stop()
    project = _projection(_vectors(patches, references))
    tree = KDTree(project(_vectors(patches, references)))
    may_stop()
    _, nearest = tree.query(project(_vectors(patches, queries)), k=min(NEIGHBOURS, len(references)), eps=1.0)
    offsets = references[nearest] - queries[:, None]
    far = np.abs(offsets).max(-1) >= max(LEAST_OFFSET_PIXELS, LEAST_OFFSET * side)
    first = far.argmax(1)
    return _peaks(offsets[np.arange(len(offsets)), first][far.any(1)], picture.shape[:2])


def _some(places: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    return places if len(places) <= most else places[np.sort(random.choice(len(places), most, replace=False))]


def _vectors(patches: np.ndarray, places: np.ndarray) -> np.ndarray:
    return patches[places[:, 0], places[:, 1]].reshape(len(places), -1)


def _projection(vectors: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Onto the principal components of vectors (n, d)."""
    mean = vectors.mean(0)
    _, components = np.linalg.eigh((vectors - mean).T @ (vectors - mean))
    basis = components[:, -PATCH_COMPONENTS:]
    return lambda some: (some - mean) @ basis


def _peaks(offsets: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """The peaks of the histogram of offsets (n, 2), highest first."""
    height, width = size[0], size[1]
    histogram = np.zeros((2 * height + 1, 2 * width + 1), np.float32)
    np.add.at(histogram, (offsets[:, 0] + height, offsets[:, 1] + width), 1)
    smooth = ndimage.gaussian_filter(histogram, HISTOGRAM_WIDTH)
    rows, columns = np.nonzero((smooth > 0) & (smooth == ndimage.maximum_filter(smooth, 5)))
    order = np.argsort(-smooth[rows, columns], kind="stable")[:MOST_OFFSETS]
    return np.stack([rows[order] - height, columns[order] - width], 1)
