"""Masks as shapes: grown and eroded, their depth and soft edges, their union."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor


def union(masks: Sequence[Tensor], like: Tensor) -> Tensor:
    """All masks (1, 1, H, W) in one; empty where there are none."""
    return torch.stack([torch.zeros_like(like[:, :1]), *masks]).amax(0)


EDGE_WIDTH = 0.012  # of the shorter side: what an object's edge takes of it


def dilate(mask: Tensor, fraction: float) -> Tensor:
    """Dilate a mask (1, 1, H, W) by a fraction of the photo's shorter side; negative erodes."""
    radius = fraction * min(mask.shape[-2:])
    inside = mask[0, 0].cpu().numpy() > 0.5
    grown = distance_inside(inside) > -radius if radius < 0 else distance_inside(~inside) <= radius
    return torch.from_numpy(grown).float()[None, None]


def interior(mask: Tensor) -> Tensor:
    """A mask (1, 1, H, W) without its rim, whose colours are mixed; all of it where nothing else would be left."""
    inner = dilate(mask, -EDGE_WIDTH)
    return inner if inner.any() else mask


def distance_inside(inside: np.ndarray) -> np.ndarray:
    """How far every pixel of a mask (H, W) is from the nearest one outside it, in pixels; 0 outside."""
    if inside.all():
        return np.full(inside.shape, np.inf, np.float32)
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def feather(mask: Tensor, fraction: float) -> Tensor:
    """A ramp from 0 at the mask's edge to 1 at a depth of `fraction` of the shorter side inside it."""
    wide = max(1.0, fraction * min(mask.shape[-2:]))
    ramp = distance_inside(mask[0, 0].cpu().numpy() > 0.5) / (wide + 1)  # the photo's own frame is no edge
    return torch.from_numpy(ramp.clip(0, 1)).float()[None, None]
