"""Is a selection an object? Its outline, in the photo that it is taken from."""

from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from realedit.evaluation.closeup import close_up, colours, inside

ACROSS = 4.0  # pixels from the outline to either side at which colours are compared
SMOOTHED = 1.5  # pixels: the width over which they are averaged
CONTRAST = 8.0  # units of CIELAB: from here on an edge is seen
SHORTEST = 12  # pixels of a closed outline: less is a speck


@dataclass(frozen=True)
class Outline:
    """`edged`: the share of a mask's outline along which the photo has an edge; NaN where all of it lies on the frame.
    `boxed`: the share of its bounding box that it fills, 1 for a rectangle."""

    edged: float
    boxed: float


def outline(photo: Tensor, mask: Tensor) -> Outline:
    """Follow the outline of a mask (1, 1, H, W) that is not empty in a photo (1, 3, H, W)."""
    photo, mask = close_up(mask, photo, mask)
    within, lab = inside(mask), cv2.GaussianBlur(colours(photo), (0, 0), SMOOTHED)
    if within.all():
        return Outline(edged=float("nan"), boxed=1.0)
    rows, columns = np.flatnonzero(within.any(1)), np.flatnonzero(within.any(0))
    boxed = float(within.sum() / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1)))
    points, inwards = _points(within)
    here, there = (np.rint(points + sign * ACROSS * inwards).astype(int) for sign in (1, -1))
    last = np.array(within.shape) - 1
    framed = ((here < 0) | (here > last) | (there < 0) | (there > last)).any(1)
    here, there = here[~framed], there[~framed]
    steps = np.linalg.norm(lab[here[:, 0], here[:, 1]] - lab[there[:, 0], there[:, 1]], axis=1)
    return Outline(edged=float((steps > CONTRAST).mean()) if len(steps) else float("nan"), boxed=boxed)


def _points(within: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outline's pixels (n, 2), rows first, and the unit vectors that point inwards there (n, 2)."""
    bytes_ = within.astype(np.uint8)
    depth = cv2.distanceTransform(bytes_, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - bytes_, cv2.DIST_L2, 5)
    slopes = np.stack(np.gradient(cv2.GaussianBlur(depth, (0, 0), 2.0)), -1)
    found, _ = cv2.findContours(bytes_, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    points = [c[:, 0, ::-1] for c in found if len(c) >= SHORTEST]
    at = np.concatenate(points) if points else np.zeros((0, 2), int)
    inwards = slopes[at[:, 0], at[:, 1]]
    return at.astype(np.float32), inwards / (np.linalg.norm(inwards, axis=1, keepdims=True) + 1e-6)
