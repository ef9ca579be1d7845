"""Fill a hole in a picture from what lies around it, without any model."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from inversion.interruption import may_stop
from realedit.images import gaussian_blur
from realedit.inpainting.seamless import harmonic_fill

SMOOTH_AT = 3000  # pixels of the hole in the picture in which tones are continued
GROUND_WIDTH = 0.5  # of the hole's side: the farther away, the less the ground says
GROUND_ROUNDS = 4  # of fitting it
GROUND_DEVIATION = 0.15  # of full brightness: what is off by more is hardly the ground
PLAIN_GROUND = 0.85  # of the variance around a hole: what the light explains of it where nothing else is there
MOSTLY_KNOWN = 0.5  # of a small pixel: from there on it has its own colour
ROW_WIDTHS = 0.2, 0.012  # of the shorter side: how far across and down a row's colours are averaged
FAR_WIDTH, FAR_WEIGHT = 0.3, 1e-4  # the same in all directions, and its weight: it speaks only where no row does


def fill_smoothly(photo: Tensor, hole: Tensor) -> Tensor:
    """The photo (1, C, H, W) with a `hole` (1, 1, H, W) in the tones that go on from its edge, without detail:
    harmonic, in a picture so small that its pixels are means of texture."""
    missing = hole[0, 0] > 0.5
    if missing.all() or not missing.any():
        return photo.clone()
    ground = _Ground.of(photo, missing)
    filled = torch.from_numpy(ground.continued()).float().permute(2, 0, 1)[None]
    enlarged = F.interpolate(filled, size=missing.shape, mode="bicubic", align_corners=False).clamp(0, 1)
    return torch.where(missing, enlarged, photo)


def falling_light(photo: Tensor, hole: Tensor) -> Tensor | None:
    """How the light falls off over a plain ground around a `hole` (1, 1, H, W): tones (1, C, H, W) of second order, in
    the hole as well, perhaps beyond [0, 1]. None where what is around it is not that plain."""
    missing = hole[0, 0] > 0.5
    if missing.all() or not missing.any():
        return None
    may_stop()
    ground = _Ground.of(photo, missing)
    if ground.explained < PLAIN_GROUND:
        return None
    may_stop()
    tones = _second_order(missing.shape) @ ground.light
    return torch.from_numpy(tones).float().permute(2, 0, 1)[None]


def _second_order(size: tuple[int, ...]) -> np.ndarray:
    """The terms (H, W, 6) of second order in a picture's coordinates."""
    height, width = size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)


@dataclass(frozen=True, eq=False)
class _Ground:
    """The ground around what is `gone` (h, w), in a picture so small that its pixels are means of texture: its
    `colours` (h, w, C), how `near` each pixel is (h, w), from 0 to 1, and the `light` on it (6, C): the factors of
    `_second_order` that fit best, since light falls off smoothly. What is far off that is another thing that stands
    there, and says nothing; `trust` (h, w), from 0 to `near`, tells."""

    colours: np.ndarray
    gone: np.ndarray
    near: np.ndarray
    light: np.ndarray
    trust: np.ndarray

    @classmethod
    def of(cls, photo: Tensor, missing: Tensor) -> "_Ground":
        height, width = photo.shape[-2:]
        scale = min(1.0, (SMOOTH_AT / float(missing.sum())) ** 0.5)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        share = F.interpolate((~missing).float()[None, None], size=size, mode="area")
        small = F.interpolate(photo * (~missing), size=size, mode="area") / share.clamp(min=1e-3)
        gone, colours = share[0, 0].numpy() < MOSTLY_KNOWN, small[0].permute(1, 2, 0).numpy()
        near = np.exp(-ndimage.distance_transform_edt(~gone) / (GROUND_WIDTH * float(gone.sum()) ** 0.5)) * ~gone
        basis, trust = _second_order(gone.shape), near
        for _ in range(GROUND_ROUNDS):
            may_stop()
            light = np.linalg.lstsq(*_weighted(basis, colours, trust), rcond=None)[0]
            off = np.abs(colours - basis @ light).max(2)
            trust = near * np.exp(-np.square(off / GROUND_DEVIATION))
        return cls(colours, gone, near, light, trust)

    @property
    def explained(self) -> float:
        """The share of the variance around the hole, another thing's included, that the light explains."""
        weight = (self.near / self.near.sum())[..., None]
        plain = np.square(self.colours - (weight * self.colours).sum((0, 1)))
        left = np.square(self.colours - _second_order(self.gone.shape) @ self.light)
        return 1 - float((weight * left).sum() / max((weight * plain).sum(), 1e-12))

    def continued(self) -> np.ndarray:
        """The colours (h, w, C) with what is gone in the light of the ground and, harmonic, what is left to that at its
        edge."""
        light = _second_order(self.gone.shape) @ self.light
        return light + harmonic_fill(self.colours - light, self.gone, self.trust / np.maximum(self.near, 1e-9))


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
