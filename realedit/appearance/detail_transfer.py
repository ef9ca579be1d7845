"""New looks in pixels: what the model drew small, at full size."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.images import resize

GAIN_WINDOW = 0.08  # of the shorter side at the model's size: how far a local map of colours reaches
GAIN_RIDGE = 1e-3  # variance of colour below which old detail says nothing of new detail
LARGEST_GAIN = 2.0  # by which old detail is enlarged at most
OBJECT_EDGE_PIXELS = 1.5  # at the model's size: an object's blurred edge


def apply_colours(image: Tensor, opacity: Tensor, own: Tensor, new: Tensor) -> Tensor:
    """A picture (1, 3, H, W) whose object, of this `opacity` (1, 1, H, W), has `new` colours (1, 3, H, W) for
    its `own`."""
    return image + opacity * (new - own)


def transfer_detail(own: Tensor, opacity: Tensor, generated: Tensor, own_small: Tensor) -> Tensor:
    """The colours (1, 3, H, W) of an object, of this `opacity` (1, 1, H, W), as it looks in the model's picture
    `generated` (1, 3, h, w); its own were `own` (1, 3, H, W), and `own_small` at the model's size.

    Detail finer than the model's picture is the object's own, stronger or weaker as the colours around it
    became."""
    size = (own.shape[-1], own.shape[-2])
    small = resize(opacity, (generated.shape[-1], generated.shape[-2]))
    new = upsample(extrapolate_interior(generated, small, OBJECT_EDGE_PIXELS), size)
    if own.shape != own_small.shape:
        detail = own - upsample(own_small, size)
        new = new + detail * upsample(_gain(own_small, generated), size)
    return new


def _gain(old: Tensor, new: Tensor) -> Tensor:
    """By how much each colour channel's local variation grew from `old` to `new` (1, 3, h, w)."""
    radius = max(1, round(GAIN_WINDOW * min(old.shape[-2:]) / 2))

    def spread(picture: Tensor) -> Tensor:
        mean = _box(picture, radius)
        return (_box(picture.square(), radius) - mean.square()).clamp(min=0)

    return ((spread(new) + GAIN_RIDGE) / (spread(old) + GAIN_RIDGE)).sqrt().clamp(max=LARGEST_GAIN)


def _box(picture: Tensor, radius: int) -> Tensor:
    padded = F.pad(picture, (radius,) * 4, mode="replicate")
    return F.avg_pool2d(padded, 2 * radius + 1, stride=1)


def extrapolate_interior(picture: Tensor, opacity: Tensor, edge: float) -> Tensor:
    """A picture (1, 3, h, w) as it is well inside an object, continued outwards over an `edge` of so many pixels: there
    the model mixes object and surroundings, which opacity already does."""
    depth = np.asarray(ndimage.distance_transform_edt(opacity[0, 0].numpy() > 0.5))
    core = depth > min(edge, 0.5 * depth.max())
    _, (rows, columns) = ndimage.distance_transform_edt(~core, return_indices=True)
    return picture[:, :, torch.from_numpy(rows), torch.from_numpy(columns)]


def upsample(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture (1, C, h, w) at a larger size (width, height)."""
    if picture.shape[-2:] == (size[1], size[0]):
        return picture
    return F.interpolate(picture, size=(size[1], size[0]), mode="bicubic", align_corners=False)
