"""Which parts of a filled hole are like nothing around it: the coherence of Simakov et al. 2008, patch by patch."""

import cv2
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage
from torch import Tensor

from inversion.interruption import may_stop
from realedit.images import resize
from realedit.inpainting.hole_part import PARTLY_HIDDEN
from realedit.inpainting.photo_fill import hole_context

FINELY, COARSELY = 1600, 400  # pixels of the hole in the picture in which patches are compared
WINDOW_SIDE = 7  # pixels of such a patch
WINDOW_COMPONENTS = 24  # principal components by which patches are compared
COMPARED_AT_ONCE = 200  # patches of the hole
BLACK_FROM_WHITE = 100.0  # CIELAB units


def incoherence(picture: Tensor, hole: Tensor, others: Tensor, *, afar: bool = False) -> Tensor:
    """How far (1, 1, H, W) each pixel of a filled `hole` (1, 1, H, W) of a picture (1, 3, H, W) in [0, 1] is from the
    photo around it, in units of CIELAB: the distance of the patch around it from the most similar one there, per pixel,
    at the most within a patch's reach. Seen from `afar` the picture is smaller, so patches show larger things. Nothing
    of the `others` (1, 1, H, W) counts as around. 0 outside, and where hardly anything is around."""
    result = torch.zeros_like(hole)
    missing = hole[0, 0].numpy() > 0.5
    if not missing.any():
        return result
    rows, columns = hole_context(missing)
    part, inside, other = (each[..., rows, columns] for each in (picture, hole, others))
    pixels = COARSELY if afar else FINELY
    scale = min(1.0, (pixels / float((inside > 0.5).sum())) ** 0.5)
    size = tuple(max(2 * WINDOW_SIDE, round(side * scale)) for side in (part.shape[-1], part.shape[-2]))

    def smaller(image: Tensor) -> np.ndarray:
        return cv2.resize(image[0].permute(1, 2, 0).numpy(), size, interpolation=cv2.INTER_AREA)

    colours = cv2.cvtColor(smaller(part.clamp(0, 1)), cv2.COLOR_RGB2LAB)
    filled = smaller(inside) > PARTLY_HIDDEN
    found = _distances(colours, filled, filled | (smaller(other) > PARTLY_HIDDEN))
    shares = torch.from_numpy(found)[None, None].float() / BLACK_FROM_WHITE
    result[..., rows, columns] = resize(shares, (part.shape[-1], part.shape[-2])) * BLACK_FROM_WHITE * (inside > 0.5)
    return result


def _distances(colours: np.ndarray, filled: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """For each pixel (h, w) that is `filled` of a picture (h, w, 3), how far the patch around it is from the most
    similar one that holds nothing `hidden`, root mean square over its pixels."""
    windows = sliding_window_view(colours, (WINDOW_SIDE, WINDOW_SIDE), axis=(0, 1))
    known = ~sliding_window_view(hidden, (WINDOW_SIDE, WINDOW_SIDE)).any((2, 3))
    asked = ndimage.binary_dilation(filled)[WINDOW_SIDE // 2 :, WINDOW_SIDE // 2 :][: known.shape[0], : known.shape[1]]
    found = np.zeros(colours.shape[:2], np.float32)
    if known.sum() <= WINDOW_COMPONENTS or not asked.any():
        return found
    may_stop()
    references, queries = (windows[where].reshape(int(where.sum()), -1) for where in (known, asked))
    mean = references.mean(0)
    _, components = np.linalg.eigh(np.cov(references, rowvar=False))
    basis = components[:, -WINDOW_COMPONENTS:]
    seen = (queries - mean) @ basis
    rest = np.square(queries - mean).sum(1) - np.square(seen).sum(1)  # which no principal component shows
    nearest = squared_distances(seen, (references - mean) @ basis)
    middle = found[WINDOW_SIDE // 2 :, WINDOW_SIDE // 2 :][: known.shape[0], : known.shape[1]]
    middle[asked] = np.sqrt(nearest + rest.clip(min=0)) / WINDOW_SIDE
    return np.where(filled, ndimage.maximum_filter(found, WINDOW_SIDE), 0)


def squared_distances(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The squared distance (n) of each of the vectors (n, d) from the nearest of some others (m, d), by products of
    matrices: in so many dimensions a tree has to look at nearly all of them, too, and one by one."""
    half = np.square(others).sum(1) / 2
    found = np.empty(len(vectors), vectors.dtype)
    for start in range(0, len(vectors), COMPARED_AT_ONCE):
        may_stop()
        some = slice(start, start + COMPARED_AT_ONCE)
        nearest = others[(half - vectors[some] @ others.T).argmin(1)]
        found[some] = np.square(vectors[some] - nearest).sum(1)
    return found
