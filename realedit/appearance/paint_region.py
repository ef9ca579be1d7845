"""Where an object shows its paint, as a region with the photo's own edges.

Pixel by pixel colours are deceptive: in shade and in light of another colour a paint looks like none, and skin may look
like it. Colour models of both and the edges between them (GrabCut, Rother et al. 2004) tell better.
"""

import cv2
import numpy as np
from scipy import ndimage

from realedit.images import at_most
from realedit.morphology import window
from realedit.objects.graph_cut import LIKELY_GROUND, LIKELY_OBJECT, SURE_GROUND, SURE_OBJECT, grab_cut

REGION_CUT_SIDE = 320  # pixels of the object's longer side at which a region is cut out
REGION_CUT_ROUNDS = 2  # of GrabCut
SURELY_PAINT, SURE_PIXELS = 0.9, 2  # of a pixel's colour, and how far around it, where a pixel is paint for sure
AROUND_PIXELS = 4  # around the object
OWN_COLOUR_PIXELS = 1.5  # of the smaller picture: so near to the region's edge each pixel's own colour tells


def painted_region(rgb: np.ndarray, inside: np.ndarray, likely: np.ndarray, never: np.ndarray) -> np.ndarray:
    """How much (H, W) of each pixel of a picture (H, W, 3) in [0, 1] is an object's paint, given what is `inside` that
    (H, W), how `likely` its own colour makes it paint (H, W), and what is `never` paint (H, W)."""
    region = likely * inside
    if not (region > 0.5).any():
        return region
    rows, columns = window(inside, AROUND_PIXELS)
    part, shown, share, other = (each[rows, columns] for each in (rgb, inside, likely, never))
    size = at_most(part.shape[1::-1], REGION_CUT_SIDE)
    shown, share, other = (_smaller(each, size) for each in (shown, share, other))
    labels = np.where(share > 0.5, LIKELY_OBJECT, LIKELY_GROUND).astype(np.uint8)
    around = np.ones((2 * SURE_PIXELS + 1,) * 2)
    labels[cv2.erode((share > SURELY_PAINT).astype(np.uint8), around) > 0] = SURE_OBJECT
    labels[(shown < 0.5) | (other > 0.5)] = SURE_GROUND
    found = grab_cut((_smaller(part, size) * 255).clip(0, 255).astype(np.uint8), labels, REGION_CUT_ROUNDS)
    region = region.copy()
    region[rows, columns] = _with_edges(found, shown > 0.5, likely[rows, columns])
    return region * (1 - never)


def _with_edges(found: np.ndarray, shown: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """A region (h, w) of what is `shown` (h, w) of an object in a small picture, in the whole one: near its edges what
    is `likely` there (H, W). The object's own outline is none of them."""
    _, (rows, columns) = ndimage.distance_transform_edt(~shown, return_indices=True)
    size = likely.shape[1::-1]
    whole = cv2.resize(found[rows, columns].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    reach = OWN_COLOUR_PIXELS * size[0] / found.shape[1]
    edge = np.maximum(*(ndimage.distance_transform_edt(side) for side in (whole, ~whole))) <= reach
    return np.where(edge, likely, whole)


def _smaller(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA))
