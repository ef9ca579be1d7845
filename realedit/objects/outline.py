"""A mask shown over its photo: what is outside is dim, and a line runs along its edge."""

import cv2
import numpy as np
from torch import Tensor

from realedit.files.photo import Photo
from realedit.images import at_most, resize
from realedit.objects.point_regions import outline_of

SHOWN_SIDE = 1000  # pixels of the longer side of the picture
DIM_SHARE = 0.35  # of its light that the rest of the photo keeps
LINE_COLOUR = (255, 230, 25)
LINE_WIDTH = 0.002  # of the longer side


def outlined(photo: Photo, mask: Tensor) -> np.ndarray:
    """The photo (h, w, 3) uint8 sRGB with what the mask (1, 1, H, W) selects outlined."""
    shown = photo.displayed(SHOWN_SIDE)
    inside = resize(mask, at_most(photo.size, SHOWN_SIDE))[0, 0].numpy() > 0.5
    picture = np.where(inside[..., None], shown, (shown * DIM_SHARE).astype(np.uint8))
    wide = max(1, round(LINE_WIDTH * max(inside.shape)))
    line = cv2.dilate(outline_of(inside).astype(np.uint8), np.ones((wide, wide), np.uint8)) > 0
    return np.asarray(np.where(line[..., None], np.array(LINE_COLOUR, np.uint8), picture))
