"""The outlines of things: how much contrast a photo has there, and how they are shown over it."""

import cv2
import numpy as np
from torch import Tensor

from realedit.files.photo import Photo
from realedit.images import at_most, resize

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


def contrast(rgb: np.ndarray) -> np.ndarray:
    """The largest change of colour within a pixel of every pixel (H, W), in CIELAB units over a pixel."""
    lab = cv2.GaussianBlur(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), 1.0)
    slopes = [
        cv2.Sobel(np.ascontiguousarray(lab[..., k]), cv2.CV_32F, *axis, scale=0.25)
        for k in range(3)
        for axis in ((1, 0), (0, 1))
    ]
    return cv2.dilate(np.sqrt(sum(slope**2 for slope in slopes)), np.ones((3, 3), np.uint8))


def outline_of(region: np.ndarray) -> np.ndarray:
    """The pixels (H, W) on both sides of a region's edge; the picture's own frame is none."""
    padded, three = np.pad(region.astype(np.uint8), 1, mode="edge"), np.ones((3, 3), np.uint8)
    return np.asarray((cv2.dilate(padded, three) != cv2.erode(padded, three))[1:-1, 1:-1])
