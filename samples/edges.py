"""Maps of edges, as the bundled ControlNet is shown them, and how far a picture follows one."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

WEAK, STRONG = 60, 120  # of Canny's gradients, for photos of 8 bits
NEAR = 1  # pixels by which an edge may be off


def edges(photos: Tensor) -> Tensor:
    """Canny's edges (Canny 1986) of photos (B, 3, H, W) in [0, 1]: maps (B, 3, H, W), 1 on an edge, 0 elsewhere."""
    maps = []
    for photo in (photos * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy():
        maps.append(cv2.Canny(cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY), WEAK, STRONG))
    return torch.from_numpy(np.stack(maps))[:, None].float().expand(-1, 3, -1, -1) / 255


def agreement(picture: Tensor, wanted: Tensor) -> float:
    """How far the edges of a picture (1, 3, H, W) are those of a map of the same size: the harmonic mean of the shares
    of either's that lie within a pixel of the other's, 1 at best; 0 where one has none."""
    found, wanted = edges(picture)[:, :1] > 0.5, wanted[:, :1] > 0.5
    if not found.any() or not wanted.any():
        return 0.0
    right, reached = (float(_near(b)[a].float().mean()) for a, b in ((found, wanted), (wanted, found)))
    return 2 * right * reached / (right + reached) if right + reached else 0.0


def _near(marks: Tensor) -> Tensor:
    return F.max_pool2d(marks.float(), 2 * NEAR + 1, stride=1, padding=NEAR) > 0.5
