"""The paint that an object is known by, and that alone in another colour: its glass, tyres, logos and highlights stay.

Light and shade change how bright a paint is and how strong its hue, not the hue itself (the dichromatic model of Shafer
1985). So what has the commonest hue of an object is likely its paint; on an object without hues, what is about as
bright as most. A paint of faint hue goes on from where it is sure to the next edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from realedit.appearance.dichromatic import LUMA, replace_body_colours
from realedit.appearance.paint_region import painted_region

HUE_BINS, HUE_WIDTH = 72, 2.0  # of the circle; the standard deviation over which they are smoothed
SAME_HUE, OTHER_HUE = 28.0, 50.0  # degrees from the paint's hue up to which a pixel has it, and from which it does not
LEAST_SATURATION = 0.15  # of lightness: a paint of less has no hue
SURE_SATURATION = 0.4  # the same: the hue of a paint of more tells of every pixel whether it is paint
PALE, VIVID = 0.1, 0.3  # of the paint's saturation: below the first a pixel shows none of it, above the second all
DARK, BRIGHT = 0.35, 0.6  # of the lightness of a paint without hue, likewise
SHINING, OTHER_LIGHT = 2.5, 4.0  # the same from above: what shines on a dark paint, and what is no dark paint
# Of lightness, how saturated light from the ground makes a paint without hue at most, and a logo on it is at least.
MOST_TINTED, LEAST_PRINTED = 0.24, 0.48
OWN_BRIGHTNESS = 0.5  # the power of the old paint's brightness in the new one's, so that it fits the photo's light
GREYEST = 0.06  # saturation below which a new colour is white, grey or black, and as bright as it says
EDGE_PIXELS = 0.7  # the standard deviation over which the paint's edges are smoothed


@dataclass(frozen=True, eq=False)
class Paint:
    """An object's paint: its `colour` (3), as bright as it mostly is, and how much of it each pixel of the object's
    picture shows, `share` (1, 1, H, W)."""

    colour: Tensor
    share: Tensor

    def replaced(self, picture: Tensor, colour: Tensor) -> Tensor:
        """The picture (1, 3, H, W) with this paint in a new `colour` (3)."""
        new = _lit_alike(self.colour, colour)
        return torch.lerp(picture, replace_body_colours(picture, self.colour[None], new[None]), self.share)


def own_paint(picture: Tensor, opacity: Tensor) -> Paint:
    """The paint of the object that covers a picture (1, 3, H, W), sRGB, by this `opacity` (1, 1, H, W)."""
    lab = cv2.cvtColor(np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy()), cv2.COLOR_RGB2Lab)
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    hue, saturation = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), chroma / (lightness + 10)
    inside = opacity[0, 0].numpy() > 0.5
    main = _commonest_hue(hue[inside], chroma[inside])
    away = np.abs((hue - main + 180) % 360 - 180)
    seen = lightness.clip(min=1)  # black, too, is as light as itself
    light = seen / float(np.median(seen[inside]))
    lit = inside & (light > DARK)  # of what is darker the hue is unsure
    hued = lit & (away < SAME_HUE) & (saturation > LEAST_SATURATION)
    if hued.sum() > 0.5 * (lit & (saturation <= LEAST_SATURATION)).sum():
        typical = float(np.median(saturation[hued]))
        strong, vivid = saturation / typical, typical > SURE_SATURATION
        share = _ramp(strong, PALE, VIVID) * _ramp(-away, -OTHER_HUE, -SAME_HUE)
        mine, other = hued & (strong > VIVID), (away > OTHER_HUE) & (saturation > LEAST_PRINTED)
    else:
        share = _ramp(light, DARK, BRIGHT) * _ramp(-light, -OTHER_LIGHT, -SHINING)
        share = share * _ramp(-saturation, -LEAST_PRINTED, -MOST_TINTED)
        mine, other, vivid = inside & (share > 0.5), saturation > LEAST_PRINTED, False
    colour = picture[0][:, torch.from_numpy(mine)].median(1).values
    region = share if vivid else painted_region(picture[0].permute(1, 2, 0).numpy(), inside, share, other)
    smooth = cv2.GaussianBlur(region.astype(np.float32), (0, 0), EDGE_PIXELS)
    return Paint(colour, torch.from_numpy(smooth)[None, None])


def _commonest_hue(hues: np.ndarray, weights: np.ndarray) -> float:
    """The hue in degrees that most of what has colour has."""
    counts, edges = np.histogram(hues, HUE_BINS, (-180, 180), weights=weights)
    smooth = cv2.GaussianBlur(np.tile(counts, 3)[None].astype(np.float32), (0, 0), HUE_WIDTH)[0]
    peak = int(smooth[HUE_BINS : 2 * HUE_BINS].argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)


def _ramp(values: np.ndarray, none: float, full: float) -> np.ndarray:
    return ((values - none) / (full - none)).clip(0, 1)


def _lit_alike(old: Tensor, new: Tensor) -> Tensor:
    """A new paint in the light that falls on the old one: a name says of a colour how bright it is only by and by."""
    luma = old.new_tensor(LUMA)
    if float(new.max() - new.min()) < GREYEST:
        return new
    factor = float((old @ luma).clamp(min=0.02) / (new @ luma).clamp(min=0.02)) ** OWN_BRIGHTNESS
    return (new * factor).clamp(0, 1)
