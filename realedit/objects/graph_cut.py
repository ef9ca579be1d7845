"""Object and surroundings told apart by their colours: GrabCut (Rother et al. 2004), the same every time."""

import cv2
import numpy as np

SURE_GROUND, SURE_OBJECT = cv2.GC_BGD, cv2.GC_FGD
LIKELY_GROUND, LIKELY_OBJECT = cv2.GC_PR_BGD, cv2.GC_PR_FGD


def grab_cut(rgb: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray:
    """The object (H, W) in a picture (H, W, 3) uint8, from labels (H, W) uint8 of what is sure and what is likely.

    Without `rounds`, and where one side has no label at all, the labels say all."""
    found = labels.copy()
    inside = (labels == SURE_OBJECT) | (labels == LIKELY_OBJECT)
    if rounds and inside.any() and not inside.all():
        cv2.setRNGSeed(0)  # its colour models start from random clusters
        models = np.zeros((1, 65)), np.zeros((1, 65))
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        cv2.grabCut(bgr, found, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((found == SURE_OBJECT) | (found == LIKELY_OBJECT))
