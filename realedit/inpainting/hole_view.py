"""What a model for holes is shown of a photo: the part around the hole, without what it must not go by."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError, ModelError
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import Crop, ZoomLimits, crop_around
from realedit.images import resize

HOLE_ZOOM = ZoomLimits(share=0.3, enlarged=1.0, enough=1.0)  # more than as much beside the hole as there is of it
NEAR_ZOOM = ZoomLimits(share=0.45, enlarged=1.0, enough=1.0)  # about as much

Draw = Callable[[Tensor, Tensor], Tensor]


def fill_through_view(
    photo: Tensor, hole: Tensor, others: Tensor, native: int, draw: Draw, zoom: ZoomLimits = HOLE_ZOOM
) -> Tensor:
    """The photo (1, 3, H, W) with its `hole` (1, 1, H, W) filled by a model of this `native` size in pixels, from as
    near as `zoom` says; outside the hole it is the photo itself, bit for bit.

    `draw` is given the part around the hole (1, 3, h, w) and where it is hidden (1, 1, h, w): in the hole, and where
    the `others` (1, 1, H, W) lie. There the part has the colour of the nearest visible pixel, so that nothing of an
    object reaches the model when the part is resampled. It answers with the part, drawn everywhere.

    Raises:
        EditError: the hole and the others leave nothing of the photo to go by.
        ModelError: what is drawn holds not-a-number.
    """
    inside = hole > 0.5
    if not inside.any():
        return photo
    hidden = (inside | (others > 0.5)).float()
    if hidden.all():
        raise EditError("the hole and the other objects take up the whole photo, so nothing can fill it; mark less")
    crop = hole_crop(hole, others, native, zoom)
    part = crop.cut_out(hidden)
    drawn = draw(_without_hidden(crop.cut_out(photo), part), part)
    if not drawn.isfinite().all():
        raise ModelError("the model that fills holes drew not-a-number; its weights are damaged: fetch it again")
    left, top, right, bottom = crop.box
    filled = photo.clone()
    filled[..., top:bottom, left:right] = torch.where(
        crop.cut_out(inside), drawn.clamp(0, 1).to(photo), crop.cut_out(photo)
    )
    return filled


def on_square(image: Tensor, hidden: Tensor, side: int, draw: Draw) -> Tensor:
    """A part (1, 3, h, w) as a network for squares of this `side` in pixels draws it, where `hidden` (1, 1, h, w) and
    elsewhere. It is not stretched: below and right of it its own mirror image fills up the square."""
    height, width = image.shape[-2:]
    factor = side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    beside = ((0, 0), (0, 0), (0, side - size[1]), (0, side - size[0]))
    cells = (F.interpolate(hidden, size=(size[1], size[0]), mode="area") > 0).float()
    squares = (torch.from_numpy(np.pad(v.numpy(), beside, mode="symmetric")) for v in (resize(image, size), cells))
    return resize(draw(*squares)[..., : size[1], : size[0]], (width, height))


def hole_crop(hole: Tensor, others: Tensor, native: int, zoom: ZoomLimits = HOLE_ZOOM) -> Crop:
    """The part that is shown: around the hole, or all of the photo where in that part nothing would be seen."""
    inside, size = hole > 0.5, (hole.shape[-1], hole.shape[-2])
    box = mask_box(inside)
    crop = crop_around([box], [box], size, native, zoom)
    return Crop.whole(size) if crop.cut_out((inside | (others > 0.5)).float()).all() else crop


def _without_hidden(image: Tensor, hidden: Tensor) -> Tensor:
    """An image (1, 3, h, w) in which hidden pixels have the colour of the nearest visible one."""
    covered = (hidden[0, 0] > 0.5).numpy().astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(covered, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    gone, visible = np.flatnonzero(covered), np.flatnonzero(covered == 0)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels.ravel()[visible]] = visible
    seen = image.clone()
    seen.flatten(2)[..., torch.from_numpy(gone)] = image.flatten(2)[
        ..., torch.from_numpy(nearest[labels.ravel()[gone]])
    ]
    return seen
