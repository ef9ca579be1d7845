"""Masks that the user hands over as files."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inversion.errors import Notice, PhotoError
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.images import resize

SAME_ASPECT = 0.02  # of a side's length: how far a mask of another size may be off the photo's shape
INVERTED_SHARE = 0.7  # of the frame: a mask that is whiter, along all four sides, is white where the object is not


def load_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """A mask file as (1, 1, H, W), 1 where it is brighter than half, at the photo's size (width, height). A mask that
    is painted in the file's transparency alone is read from there: 1 where it is opaque.

    Raises:
        PhotoError: it cannot be read, has another shape than the photo, is empty, full, or inverted.
    """
    mask = _level(load_photo(path))
    given = mask.shape[-1], mask.shape[-2]
    if given != size:
        off = given[0] * size[1] / (given[1] * size[0])
        if not 1 - SAME_ASPECT <= off <= 1 + SAME_ASPECT:
            raise PhotoError(
                f"the mask {path} is {given[0]}x{given[1]}, the photo {size[0]}x{size[1]}: another shape; "
                "paint it on the photo itself"
            )
        warnings.warn(Notice(f"the mask {path.name} is enlarged or reduced to the photo's size"), stacklevel=2)
        mask = resize(mask, size)
    mask = (mask > 0.5).float()
    if not mask.any() or mask.all():
        raise PhotoError(
            f"the mask {path} is {'all' if mask.any() else 'nowhere'} white; paint the object white on black"
        )
    inside = mask[0, 0]
    sides = inside[0], inside[-1], inside[:, 0], inside[:, -1]
    if inside.mean() > INVERTED_SHARE and all(side.any() for side in sides):
        raise PhotoError(
            f"the mask {path} is white on {float(inside.mean()):.0%} of the photo, along all its sides: it seems to be "
            "inverted; paint the object white on black"
        )
    return mask


def _level(picture: Photo) -> Tensor:
    """How white a mask is (1, 1, h, w): its colours, or its transparency where only that differs."""
    flat = bool((picture.rgb == picture.rgb[0, 0]).all())
    if picture.see_through and (flat or not _painted_colours(picture)):
        return picture.opacity()
    return torch.from_numpy(picture.rgb.astype(np.float32)).mean(-1)[None, None] / picture.peak


def _painted_colours(picture: Photo) -> bool:
    """Whether the colours tell anything where the picture is opaque."""
    assert picture.alpha is not None
    shown = picture.rgb[picture.alpha > 0]
    return bool(len(shown)) and bool((shown != shown[0]).any())
