"""The object lifted off its background: how much of every edge pixel is object, and of what colour."""

import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.paste import depth

EDGE_PIXELS, EDGE = 1.5, 0.006  # half the width of an edge: pixels, or of the shorter side if that is more
CONTRAST = 0.1  # root mean square difference of object and background from which their mixture can be told


def lift(photo: Tensor, background: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (1, 3, H, W) and opacity (1, 1, H, W) of an object, given the photo (1, 3, H, W), what lies
    behind it, and its mask (1, 1, H, W).

    Along the mask's edge a pixel is taken as a mixture of the nearest inner colour and the background,
    and the share that explains it best (least squares) is the opacity. Where the two colours are too
    alike to tell, the mask's own edge is smoothed.
    """
    width = max(EDGE_PIXELS, EDGE * min(mask.shape[-2:]))
    colour, alpha = photo.clone(), torch.zeros_like(mask)
    if mask.any():
        rows, columns = _window(mask, 2 + int(width) + 1)
        near = (..., rows, columns)
        colour[near], alpha[near] = _lift(photo[near], background[near], mask[near], width)
    return colour, alpha


def _window(mask: Tensor, margin: int) -> tuple[slice, slice]:
    """The rows and columns that hold a mask, with a margin: nothing farther off has any part in it."""
    found = []
    for axis in (1, 0):
        inside = (mask[0, 0] > 0.5).any(axis).nonzero()
        if not len(inside):
            return slice(0, 0), slice(0, 0)
        found.append(slice(max(0, int(inside[0]) - margin), int(inside[-1]) + 1 + margin))
    return found[0], found[1]


def _lift(photo: Tensor, background: Tensor, mask: Tensor, width: float) -> tuple[Tensor, Tensor]:
    inside = mask[0, 0].numpy() > 0.5
    inner, outer = depth(inside), depth(~inside)
    core = inner > min(width, 0.5 * inner.max())
    _, (rows, columns) = ndimage.distance_transform_edt(~core, return_indices=True)
    colour = photo[:, :, torch.from_numpy(rows), torch.from_numpy(columns)]
    difference = colour - background
    contrast = difference.square().sum(1, keepdim=True)
    share = ((photo - background) * difference).sum(1, keepdim=True) / contrast.clamp(min=1e-6)
    smoothed = F.avg_pool2d(F.pad(mask, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    alpha = torch.where(contrast > 3 * CONTRAST**2, share.clamp(0, 1), smoothed)
    alpha = torch.where(torch.from_numpy(core), torch.ones_like(alpha), alpha)
    alpha = torch.where(torch.from_numpy(outer > width), torch.zeros_like(alpha), alpha)
    colour = torch.where(torch.from_numpy(inside & (inner > width)), photo, colour)
    return colour, alpha
