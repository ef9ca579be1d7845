"""Fill a hole in a picture from what lies around it, without any model."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.images import gaussian_blur
from realedit.inpainting.seamless import harmonic_fill

SMOOTH_AT = 3000  # pixels of the hole in the picture in which tones are continued
GROUND_WIDTH, GROUND_ROUNDS = (
    0.5,
    4,
)  # of the hole's side: the farther away, the less the ground says; how often it is fitted
GROUND_DEVIATION = 0.15  # of full brightness: what is off by more is hardly the ground
MOSTLY_KNOWN = 0.5  # of a small pixel: from there on it has its own colour
ROW_WIDTHS = 0.2, 0.012  # of the shorter side: how far across and down a row's colours are averaged
FAR_WIDTH, FAR_WEIGHT = 0.3, 1e-4  # the same in all directions, and its weight: it speaks only where no row does


def fill_smoothly(photo: Tensor, hole: Tensor) -> Tensor:
    """The photo (1, C, H, W) with a `hole` (1, 1, H, W) in the tones that go on from its edge, without detail:
    harmonic, in a picture so small that its pixels are means of texture."""
    missing = hole[0, 0] > 0.5
    if missing.all() or not missing.any():
        return photo.clone()
    height, width = photo.shape[-2:]
    scale = min(1.0, (SMOOTH_AT / float(missing.sum())) ** 0.5)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    share = F.interpolate((~missing).float()[None, None], size=size, mode="area")
    small = F.interpolate(photo * (~missing), size=size, mode="area") / share.clamp(min=1e-3)
    gone, colours = share[0, 0].numpy() < MOSTLY_KNOWN, small[0].permute(1, 2, 0).numpy()
    filled = torch.from_numpy(_continued(colours, gone)).float().permute(2, 0, 1)[None]
    enlarged = F.interpolate(filled, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)
    return torch.where(missing, enlarged, photo)


def _continued(colours: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """A picture (H, W, C) with what is `gone` (H, W) in the tones of the ground around it: the surface of second order
    that fits the ground best, since light falls off smoothly, and what is left to that at the edge, harmonic. What is
    far off both is another thing that stands there, and says nothing."""
    height, width = gone.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    away = ndimage.distance_transform_edt(~gone)
    near = np.exp(-away / (GROUND_WIDTH * float(gone.sum()) ** 0.5)) * ~gone
    trust = near
    for _ in range(GROUND_ROUNDS):
        surface = basis @ np.linalg.lstsq(*_weighted(basis, colours, trust), rcond=None)[0]
        off = np.abs(colours - surface).max(2)
        trust = near * np.exp(-np.square(off / GROUND_DEVIATION))
    return surface + harmonic_fill(colours - surface, gone, trust / np.maximum(near, 1e-9))


def _weighted(basis: np.ndarray, colours: np.ndarray, trust: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weight = np.sqrt(trust).reshape(-1, 1)
    return basis.reshape(len(weight), -1) * weight, colours.reshape(len(weight), -1) * weight


def fill_rows(photo: Tensor, hole: Tensor) -> Tensor:
    """The photo (1, 3, H, W) with a `hole` (1, 1, H, W) in the mean colours of the same rows: floors, tables and
    horizons are level."""
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
