"""Highlights: the lamp's own white on what is glossy, and how an object looks without them."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from realedit.appearance.dichromatic import diffuse_and_specular
from realedit.images import to_bytes
from realedit.morphology import dilate, interior

# Of an object's pixels, by how white they are over its paint: its brightest spots, and those that are nearly so. On
# what is glossy the first are so many times as white as the second; shading and patterns are spread more evenly.
BRIGHTEST_SHARE, BRIGHT_SHARE, HIGHLIGHT_RATIO = 0.01, 0.08, 4.0
FAINT_LEVEL = 0.025  # of full white: less is not seen
HIGHLIGHT_LEVEL = 0.06  # of full white, from which a pixel shows a highlight
HIGHLIGHT_FADE = 0.15  # of a highlight's extent: how far it fades below that


def has_highlights(colours: Tensor) -> bool:
    """Whether an object with these `colours` (n, 3) in a model's pictures shows highlights; none has
    none."""
    if not len(colours):
        return False
    over = diffuse_and_specular(colours, colours.mean(0, keepdim=True))[:, 1]
    bright, fainter = torch.quantile(over, over.new_tensor((1 - BRIGHTEST_SHARE, 1 - BRIGHT_SHARE)))
    return bool(bright > HIGHLIGHT_RATIO * fainter.clamp(min=FAINT_LEVEL))


def remove_highlights(picture: Tensor, opacity: Tensor) -> Tensor:
    """A picture (1, 3, H, W) without the highlights on an object of one paint and this `opacity` (1, 1, H, W); what is
    beneath them is continued from around them."""
    inside = interior((opacity > 0.5).float()) > 0.5
    if not inside.any():
        return picture
    paint = picture[0][:, inside[0, 0]].median(1).values[None]
    over = diffuse_and_specular(picture[0].flatten(1).T, paint)[:, 1].reshape(inside.shape)
    spots = ((over > HIGHLIGHT_LEVEL) & inside).float()
    side = min(picture.shape[-2:])
    spots = dilate(spots, HIGHLIGHT_FADE * math.sqrt(float(spots.sum())) / side) * (opacity > 0.5)
    source = np.ascontiguousarray(to_bytes(picture))
    filled = cv2.inpaint(source, (spots[0, 0].numpy() > 0.5).astype(np.uint8), 3, cv2.INPAINT_NS)
    beneath = torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255
    return torch.where(spots > 0.5, beneath, picture)
