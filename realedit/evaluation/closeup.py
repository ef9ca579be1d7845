"""The part of two pictures that a judgement is about, at the size at which it is judged."""

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from realedit.images import at_most, resize

JUDGED_SIDE = 512  # pixels of the longer side: what is judged is never larger
SURROUNDINGS = 0.6  # of the region's extent, on every side: what it is compared with
LEAST_SURROUNDINGS = 40  # pixels


def colours(picture: Tensor) -> np.ndarray:
    """A picture (1, 3, H, W) in [0, 1] as CIELAB (H, W, 3), lightness from 0 to 100: a distance of 2 is just seen."""
    rgb = picture[0].detach().float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)


def inside(mask: Tensor) -> np.ndarray:
    """A mask (1, 1, H, W) as (H, W), true where it is above a half."""
    return np.asarray(mask[0, 0].detach().cpu().numpy() > 0.5)


def close_up(region: Tensor, *pictures: Tensor) -> tuple[Tensor, ...]:
    """The part of the `pictures` (1, C, H, W) around a region (1, 1, H, W) that is not empty, no larger than it is
    judged. Photos are seen at their own size where the region is small: what is smooth there would be hidden by
    shrinking the whole."""
    rows, columns = (np.flatnonzero(inside(region).any(axis)) for axis in (1, 0))
    margin = max(LEAST_SURROUNDINGS, round(SURROUNDINGS * max(np.ptp(rows), np.ptp(columns))))
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return at_judged_size([p[..., top : rows[-1] + margin + 1, left : columns[-1] + margin + 1] for p in pictures])


def at_judged_size(pictures: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Pictures (1, C, H, W) of one size, shrunk to the size at which they are judged."""
    height, width = pictures[0].shape[-2:]
    size = at_most((width, height), JUDGED_SIDE)
    return tuple(resize(picture.detach().float(), size) for picture in pictures)
