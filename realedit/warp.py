"""Apply a placement to tensors: photos, masks, attention maps, noise."""

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.placement import Placement


def warp(image: Tensor, placement: Placement, *, size: tuple[int, int] | None = None, nearest: bool = False) -> Tensor:
    """Move the content of `image` (B, C, H, W) as `placement` says; what leaves the frame is gone
    and what comes from outside is 0.

    With a `size` (width, height) the result is a frame of that size, in which a scale of 1 keeps things
    as large against the shorter side as they were. `nearest` copies values instead of mixing them: use
    it on noise, whose spread mixing would shrink.
    """
    own = (image.shape[-1], image.shape[-2])
    width, height = size or own
    if placement.identity and own == (width, height):
        return image.clone()
    y, x = torch.meshgrid(
        (torch.arange(height, device=image.device, dtype=torch.float32) + 0.5) / height,
        (torch.arange(width, device=image.device, dtype=torch.float32) + 0.5) / width,
        indexing="ij",
    )
    ax, ay = placement.anchor
    tx, ty = placement.target
    scale = placement.scale * min(width, height) / min(own)  # pixels of the result per pixel of the image
    across, down = width / (own[0] * scale), height / (own[1] * scale)
    source = torch.stack(((x - tx) * across + ax, (y - ty) * down + ay), -1)
    if scale < 1 and not nearest:  # shrinking skips pixels, so blur by the factor first
        image = _prefilter(image, scale)
    grid = (source * 2 - 1).expand(len(image), -1, -1, -1)
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(image.float(), grid, mode=mode, padding_mode="zeros", align_corners=False)


def _prefilter(image: Tensor, scale: float) -> Tensor:
    height, width = image.shape[-2:]
    small = (max(1, round(height * scale)), max(1, round(width * scale)))
    down = F.interpolate(image.float(), size=small, mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(down, size=(height, width), mode="bilinear", align_corners=False)
