"""The ground at an object's foot that is a little darker than farther off: what is left of its contact shadow, its
penumbra or the tip of its shadow where nothing tells how dark it is. It goes nowhere with the object, and where the
object leaves it is drawn anew with its place; else that is drawn as dark."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.compositing.shadows import TOUCHING_PIXELS, VISIBLE_SHADE, light_and_tint
from realedit.inpainting.fill import fill_smoothly
from realedit.morphology import components, distance_inside

DIMMED_REACH = 0.25  # of its extent: how far from what an object covers the ground is compared with what lies beyond
FOOT_HEIGHT = 0.3  # of an object's height, from its lowest row: where its foot is
DEEPEST_CONTACT, LIGHTER_AWAY = 0.35, 1.5  # least light of a contact shadow beside the object, and more per extent away
MOST_TINT = 0.3  # of the light, between colours: what is more tinted is a thing that stands there
STEEPEST = 0.09  # of the light, from pixel to pixel: so is what changes more
CONTACT_SHADOW = 0.1  # of its extent: unless it ends so near to what the object covers
NARROW = 0.04  # of its extent: half the width of what is taken for the ground's own lines and grain
STANDING_RIM = 2  # pixels around such a thing that are its own
FADING_RIM, FADED = 2, 0.9  # pixels at the end of what fades out, and half of them are at least so light


def dimmed_ground(photo: Tensor, covered: Tensor, others: Tensor) -> Tensor:
    """Where (1, 1, H, W) the ground of a photo (1, 3, H, W) is evenly dimmed at the foot of an object that, with its
    shadow, has `covered` (1, 1, H, W), and fades out away from it. Nothing of the `others` (1, 1, H, W) or of things
    that stand there, and nothing where the frame cuts off the foot."""
    inside = covered[0, 0].numpy() > 0.5
    rows = np.flatnonzero(inside.any(1))
    if not len(rows) or inside[-1].any():
        return torch.zeros_like(covered)
    away, extent = distance_inside(~inside), float(inside.sum()) ** 0.5
    zone = (away <= DIMMED_REACH * extent) & ~inside & (others[0, 0].numpy() < 0.5)
    zone[: int(rows[-1] - FOOT_HEIGHT * (rows[-1] - rows[0]))] = False
    beyond = fill_smoothly(photo, torch.from_numpy(zone | inside).float()[None, None])
    light, tint = (each[0, 0].numpy() for each in light_and_tint(photo, beyond))
    other = zone & ((tint > MOST_TINT) | (np.hypot(*np.gradient(light)) > STEEPEST))
    deeper = zone & (light < DEEPEST_CONTACT + LIGHTER_AWAY * away / extent)
    dark = zone & (light < VISIBLE_SHADE) & ~_things(deeper, other, away / extent)
    found, near = np.zeros_like(inside), away <= TOUCHING_PIXELS
    for part in components(_without_lines(dark, inside, NARROW * extent)):
        rim = part & ~ndimage.binary_erosion(part | inside, iterations=FADING_RIM, border_value=1) & ~near
        if (part & near).any() and (not rim.any() or np.median(light[rim]) > FADED):
            found |= part
    return torch.from_numpy(found).float()[None, None]


def _things(deeper: np.ndarray, other: np.ndarray, away: np.ndarray) -> np.ndarray:
    """What stands there (H, W), with its rim: what is `deeper` (H, W) than a contact shadow, and of what is `other`
    (H, W) than shadows are what reaches farther `away` (H, W), in extents of the object, than one does."""
    found = deeper.copy()
    for part in components(other):
        if away[part].max() > CONTACT_SHADOW:
            found |= part
    return ndimage.binary_dilation(found, iterations=STANDING_RIM)


def _without_lines(dark: np.ndarray, inside: np.ndarray, width: float) -> np.ndarray:
    """What is dark (H, W) without what is narrower than twice the `width` in pixels, unless it lies along what is
    `inside` (H, W)."""
    middles = distance_inside(dark | inside) > width
    return dark & (distance_inside(~middles) <= width)
