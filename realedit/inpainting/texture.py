"""How much fine detail a hole should show: as much as what is around it, of the same tones where these are known."""

import cv2
import numpy as np

AROUND_HOLE = 20.0  # pixels of the small picture: how far from the hole texture is looked at
APART, UNLIKE_TONES = 6.0, 0.4  # over which what is around says less: such pixels, and the colours' units


def expected_texture(texture: np.ndarray, known: np.ndarray, hole: np.ndarray, tones: np.ndarray | None) -> np.ndarray:
    """The `texture` (h, w) of a small picture, in its `hole` (h, w) an average of what is `known` (h, w) around it, by
    how near that is and, if they are told, how like the hole's in its `tones` (h, w, C). The same where nothing is
    known."""
    near = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) <= AROUND_HOLE
    around = known & near if (known & near).any() else known
    if not (hole.any() and around.any()):
        return texture
    unlike = np.square(np.argwhere(hole)[:, None] - np.argwhere(around)).sum(-1) / APART**2
    if tones is not None:
        unlike += np.square(tones[hole][:, None] - tones[around]).sum(-1) / UNLIKE_TONES**2
    weights = np.exp((unlike.min(1, keepdims=True) - unlike) / 2)
    result = texture.copy()
    result[hole] = weights @ texture[around] / weights.sum(1)
    return result
