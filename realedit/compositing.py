"""The rough result in pixels: the object moved, its old place filled from around it."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.edits import Placement
from realedit.images import to_bytes
from realedit.paste import grow
from realedit.warp import warp


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks (1, 1, H, W), 0 or 1, of one placement.

    `source`: the object before; `target`: after; `vacated`: source without target; `hole`: what has
    to be invented, the vacated place with the shadow around it; `touched`: all that may change.
    """

    source: Tensor
    target: Tensor
    vacated: Tensor
    hole: Tensor
    touched: Tensor


def regions_of(source: Tensor, placement: Placement, margin: float, reach: float) -> Regions:
    """`margin` is a fraction of the photo's shorter side, for edges; `reach` a fraction of the
    object's own extent, for the shadow that it casts around itself."""
    target = (warp(source, placement) > 0.5).float()
    spread = reach * (float(source.mean()) * source.shape[-1] * source.shape[-2]) ** 0.5
    spread = margin + spread / min(source.shape[-2:])
    around = grow(source, spread)
    hole = around * (1 - target)
    return Regions(
        source=source,
        target=target,
        vacated=source * (1 - target),
        hole=hole,
        touched=torch.maximum(around, grow(target, margin + (spread - margin) * placement.scale)),
    )


def composite(photo: Tensor, regions: Regions, placement: Placement, alpha: Tensor) -> Tensor:
    """The photo (1, 3, H, W) with the hole filled and the object, cut out by the soft mask `alpha`
    (1, 1, H, W), at its new place."""
    filled = torch.where(regions.hole > 0.5, fill(photo, torch.maximum(regions.hole, regions.source)), photo)
    there = warp(alpha, placement)
    moved = warp(photo * alpha, placement)  # premultiplied: no dark fringe where the mask ends
    return moved + (1 - there) * filled


def fill(photo: Tensor, hole: Tensor) -> Tensor:
    """The photo with a hole filled from its edge inwards (Telea 2004), without detail."""
    mask = (hole[0, 0].cpu().numpy() > 0.5).astype(np.uint8)
    radius = 3  # pixels of surroundings that each filled pixel looks at
    filled = cv2.inpaint(np.ascontiguousarray(to_bytes(photo)), mask, radius, cv2.INPAINT_TELEA)
    return torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255


def to_cells(mask: Tensor, latent: Tensor, share: float) -> Tensor:
    """A mask on the latent's grid: 1 in cells of which at least `share` is covered."""
    return (F.interpolate(mask, size=latent.shape[-2:], mode="area") >= share).float().to(latent.device)
