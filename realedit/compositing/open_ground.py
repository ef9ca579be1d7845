"""The tones that the ground has around its shadows: those left by a morphological closing, which fills what is dark and
narrow (the black top-hat of Meyer 1979 is what it fills)."""

import cv2
import numpy as np
import torch
from torch import Tensor

from realedit.images import gaussian_blur

GRAIN_WIDTH = 0.02  # of an object's extent: how far tones are averaged, for the lightest of grain are no ground's tones
WIDEST_SHADOW = 1.0  # of an object's extent: what is as wide in every direction is a ground of its own
LIGHTEST, UNSEEN = 2.0, -1.0  # above, and below, all that a photo holds
DARKEST = 0.02  # of full brightness: of darker tones no ratio is taken


def open_ground(photo: Tensor, source: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
    """A photo (1, 3, H, W) in [0, 1] without its grain and without an object, a mask (1, 1, H, W), and the tones that
    it would have with no shadow of that, (1, 3, H, W) both. Half of the `ground` (1, 1, H, W) is as light or
    lighter."""
    extent, seen = float(source.sum()) ** 0.5, 1 - source
    width = 1 + GRAIN_WIDTH * extent
    share = gaussian_blur(seen[0, 0], width, width).clamp(min=1e-3)
    smooth = torch.stack([gaussian_blur(each, width, width) / share for each in (photo * seen)[0]])[None]
    closed = _closed(smooth, source, max(1, round(WIDEST_SHADOW * extent / 2)))
    shown = (ground * seen > 0.5).expand_as(photo)
    for channel in range(3):
        here = shown[:, channel]
        if here.any():
            ratio = (smooth[:, channel][here] + DARKEST) / (closed[:, channel][here] + DARKEST)
            closed[:, channel] *= float(ratio.median().clamp(max=1))
    return smooth, closed


def _closed(photo: Tensor, source: Tensor, radius: int) -> Tensor:
    """A photo (1, 3, H, W) of which every disc of this `radius` in pixels shows its lightest tone, but for those that
    lie wholly on an object, a mask (1, 1, H, W)."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    hidden = source[0, 0].numpy() > 0.5
    channels = []
    for channel in photo[0].numpy():
        lightest = cv2.dilate(np.where(hidden, np.float32(UNSEEN), channel), disc, borderValue=UNSEEN)
        lightest[lightest == UNSEEN] = LIGHTEST
        channels.append(cv2.erode(lightest, disc, borderValue=LIGHTEST))
    return torch.from_numpy(np.stack(channels))[None].clamp(max=1)
