"""Masks that the user hands over as files: fitted to the photo, and checked for what cannot be meant."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from inversion.errors import EditError, Notice
from realedit.files.orientation import swaps_sides, turned
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.images import resize
from realedit.morphology import window
from realedit.objects.mask_levels import mask_levels

SAME_ASPECT = 0.02  # of a side's length: how far a mask of another size may be off the photo's shape
MOST_MARKED = 0.9  # of the photo: more is no object, and leaves nothing to fill its place from
# An inverted mask holds the photo's sides: this share of the photo with all four touched, or this one with this share
# of their pixels.
INVERTED_SHARE, FRAMED_SHARE, FRAME = 0.7, 0.5, 0.95
LEAST_ACROSS = 3  # pixels of the photo: a region that is nowhere as wide is a slip of the hand
LARGEST_PINHOLE = 0.001  # of a mask's area
ADVICE = "paint the object white on black"


def load_mask(path: Path, photo: Photo) -> Tensor:
    """A mask file as (1, 1, H, W), 0 or 1, at the photo's size: 1 where it is more than half opaque, if its
    transparency varies, or else brighter than half of its range (see `mask_levels`).

    Raises:
        PhotoError: it cannot be read.
        EditError: it has another shape than the photo, is no mask, or marks nothing, hardly anything, nearly all of the
            photo, or all but the object.
    """
    picture = load_photo(path)
    try:
        levels = mask_levels(picture)
    except EditError as error:
        raise EditError(f"the mask {path} {error}; {ADVICE}") from None
    inside = _without_pinholes((_fitted(levels, path, photo)[0, 0] > 0.5).numpy())
    if wrong := _wrong(inside):
        raise EditError(f"the mask {path} {wrong}; {ADVICE}")
    return torch.from_numpy(inside)[None, None].float()


def _without_pinholes(inside: np.ndarray) -> np.ndarray:
    """A mask (H, W) with the smallest of its holes closed: segmenters leave some, which show through."""
    rows, columns = window(inside)
    outside = np.pad(~inside[rows, columns], 1, constant_values=True)
    _, parts, numbers, _ = cv2.connectedComponentsWithStats(outside.astype(np.uint8), connectivity=4)
    small = numbers[:, cv2.CC_STAT_AREA] <= LARGEST_PINHOLE * inside.sum()
    small[[0, parts[0, 0]]] = False  # the mask itself, and what is around it
    closed = inside.copy()
    closed[rows, columns] |= small[parts][1:-1, 1:-1]
    return closed


def _fitted(levels: np.ndarray, path: Path, photo: Photo) -> Tensor:
    """A mask (h, w) at the photo's size, (1, 1, H, W): turned if it lies as the sensor of the photo did."""
    height, width = levels.shape
    if not _same_shape((width, height), photo.size):
        orientation = photo.origin.orientation
        if not swaps_sides(orientation) or not _same_shape((height, width), photo.size):
            raise EditError(
                f"the mask {path} is {width}x{height}, the photo {photo.size[0]}x{photo.size[1]}: another shape; "
                "paint it on the photo itself"
            )
        warnings.warn(Notice(f"the mask {path.name} lies on its side and is turned as the photo is"), stacklevel=3)
        levels = turned(levels, orientation)
    mask = torch.from_numpy(levels)[None, None]
    if levels.shape[::-1] == photo.size:
        return mask
    warnings.warn(Notice(f"the mask {path.name} is enlarged or reduced to the photo's size"), stacklevel=3)
    return resize(mask, photo.size)


def _same_shape(one: tuple[int, int], two: tuple[int, int]) -> bool:
    return one == two or abs(one[0] * two[1] / (one[1] * two[0]) - 1) <= SAME_ASPECT


def _wrong(inside: np.ndarray) -> str | None:
    """What is wrong with a mask (H, W) that marks no object of a photo."""
    share = float(inside.mean())
    if share in (0, 1):
        return f"is {'all' if share else 'nowhere'} white"
    sides = inside[0], inside[-1], inside[:, 0], inside[:, -1]
    framed = share > FRAMED_SHARE and np.concatenate(sides).mean() > FRAME
    if framed or (share > INVERTED_SHARE and all(side.any() for side in sides)):
        return f"is white on {share:.0%} of the photo, along all its sides: it seems to be inverted"
    if share > MOST_MARKED:
        return f"is white on {share:.0%} of the photo, which is no object"
    if not cv2.erode(inside.astype(np.uint8), np.ones((LEAST_ACROSS, LEAST_ACROSS))).any():
        return f"marks {int(inside.sum())} of the pixels, nowhere {LEAST_ACROSS} wide"
    return None
