"""Fill a hole in a picture from what lies around it, without any model."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.images import gaussian_blur, to_bytes

COARSE_CELLS = 64, 96, 128  # cells along the shorter side
ROW_WIDTHS = 0.2, 0.012  # of the shorter side: how far across and down a row's colours are averaged
FAR_WIDTH, FAR_WEIGHT = 0.3, 1e-4  # the same in all directions, and its weight: it speaks only where no row does


def fill_fsr(photo: Tensor, hole: Tensor) -> Tensor:
    """The photo (1, 3, H, W) with a `hole` (1, 1, H, W) filled from its edge inwards.

    Frequency-selective reconstruction (Genser et al. 2018): each block is continued as the few waves
    that fit its known surroundings best, so stripes and checks go on through the hole."""
    source = np.ascontiguousarray(to_bytes(photo))
    known = (hole[0, 0].cpu().numpy() <= 0.5).astype(np.uint8)
    if known.all() or not known.any():
        return photo.clone()
    filled = source.copy()
    cv2.xphoto.inpaint(source, known, filled, cv2.xphoto.INPAINT_FSR_FAST)
    return torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255


def fill_coarsely(photo: Tensor, hole: Tensor) -> Tensor:
    """As `fill_fsr`, seen so small that the hole is a few cells wide, at several sizes whose mean is taken: right in
    tone and in its large shapes, without detail. On photos of real rooms, waves go astray, at each size differently."""
    filled = torch.stack([_fill_small(photo, hole, cells) for cells in COARSE_CELLS]).mean(0)
    return torch.where(hole > 0.5, filled, photo)


def _fill_small(photo: Tensor, hole: Tensor, cells: int) -> Tensor:
    """The whole photo with its hole filled, as seen with so many cells along the shorter side."""
    height, width = photo.shape[-2:]
    scale = min(1.0, cells / min(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    outside = 1 - hole
    share = F.interpolate(outside, size=size, mode="area")
    small = F.interpolate(photo * outside, size=size, mode="area") / share.clamp(min=1e-3)
    filled = fill_fsr(small.clamp(0, 1), (share < 0.999).float())
    return F.interpolate(filled, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def fill_rows(photo: Tensor, hole: Tensor) -> Tensor:
    """As `fill_fsr`, with the mean colours of the same rows: floors, tables and horizons are level."""
    known = 1 - (hole[0, 0] > 0.5).float()
    if known.all() or not known.any():
        return photo.clone()
    side = min(known.shape)

    def averaged(image: Tensor) -> Tensor:
        across, down = (w * side for w in ROW_WIDTHS)
        return gaussian_blur(image, across, down) + FAR_WEIGHT * gaussian_blur(
            image, FAR_WIDTH * side, FAR_WIDTH * side
        )

    colours = torch.stack([averaged(channel * known) for channel in photo[0]]) / averaged(known).clamp(min=1e-12)
    return torch.where(known > 0, photo, colours[None])
