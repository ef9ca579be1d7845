"""Properties of an object, computed from attention and feature maps (arXiv 2306.00986, section 3.2).

Pure, differentiable functions. Maps are `(..., h, w)`; every map is normalised on its own, never
together with other tokens, layers or heads.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

FLOOR_QUANTILE = 0.1  # of a map's values: what words have of it everywhere
SHARPNESS = 10.0  # of the soft threshold; the paper's s


def coordinates(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """x (w,) and y (h,) of the cell centres, as fractions of the frame, with the device and dtype of `like`."""
    x = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width
    y = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height
    return x, y


def centroid(maps: Tensor) -> Tensor:
    """The centre of mass (..., 2) as (x, y), fractions of the frame, of non-negative maps (..., h, w), which are not
    thresholded (eq. 4); (0, 0) for an empty map."""
    x, y = coordinates(maps.shape[-2], maps.shape[-1], like=maps)
    total = maps.sum((-2, -1)).clamp(min=torch.finfo(maps.dtype).tiny)
    return torch.stack(((maps.sum(-2) * x).sum(-1), (maps.sum(-1) * y).sum(-1)), -1) / total[..., None]


def above_floor(maps: Tensor) -> Tensor:
    """Maps (..., h, w) without what their words have everywhere, the value that a tenth of the cells do not exceed.

    The paper's maps are not thresholded. With a floor of 10 % of the peak, though, the centroid of a small object that
    moves by 0.4 moves by 0.1, and no sampler can reach what is asked of it."""
    floor = maps.flatten(-2).quantile(FLOOR_QUANTILE, dim=-1)
    return (maps - floor[..., None, None]).clamp(min=0)


def normalise(maps: Tensor) -> Tensor:
    """Each map (..., h, w) scaled to [0, 1] between its own extremes; zeros for a constant map."""
    low, high = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    return (maps - low) / (high - low + 1e-4)


def shape(maps: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """The object as a soft mask (..., h, w) in [0, 1]: normalise, threshold softly at one half, normalise."""
    return normalise(torch.sigmoid(sharpness * (normalise(maps) - 0.5)))


def size(maps: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """The fraction of the frame (...,) that the object covers: the mean of its shape (eq. 5)."""
    return shape(maps, sharpness).mean((-2, -1))


def appearance(features: Tensor, mask: Tensor) -> Tensor:
    """The mean feature vector (..., C) over an object (eq. 6).

    `features` (..., C, h, w); `mask` (..., h', w'), resized to the features and held constant, so
    that no gradient flows into the object's shape."""
    mask = mask.detach()
    flat = mask.reshape(-1, 1, *mask.shape[-2:])
    flat = F.interpolate(flat, size=features.shape[-2:], mode="bilinear", align_corners=False)
    mask = flat.reshape(*mask.shape[:-2], *features.shape[-2:]).unsqueeze(-3)
    weight = mask.sum((-2, -1)).clamp(min=1e-6)
    return (features * mask).sum((-2, -1)) / weight
