"""Masks and the boxes and points that sum them up, in fractions of the photo."""

import torch
from torch import Tensor

from inversion.properties import centroid
from realedit.geometry.transform import Box, Point


def box_mask(box: Box, size: tuple[int, int]) -> Tensor:
    """A box of fractions as a mask (1, 1, H, W)."""
    width, height = size
    mask = torch.zeros(1, 1, height, width)
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    mask[..., top:bottom, left:right] = 1
    return mask


def mask_centre(mask: Tensor) -> Point:
    """The centre of mass (x, y) of a mask, in fractions."""
    x, y = centroid(mask[0, 0]).tolist()
    return x, y


def mask_box(mask: Tensor) -> Box:
    """The box around a mask, in fractions."""
    height, width = mask.shape[-2:]
    rows = mask[0, 0].amax(1).nonzero()[:, 0]
    columns = mask[0, 0].amax(0).nonzero()[:, 0]
    return (
        int(columns[0]) / width,
        int(rows[0]) / height,
        (int(columns[-1]) + 1) / width,
        (int(rows[-1]) + 1) / height,
    )
