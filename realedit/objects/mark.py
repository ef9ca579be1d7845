"""What a user says of where an object is, and what can be no object."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from torch import Tensor

from inversion.errors import EditError
from realedit.geometry.transform import Box, Point

LEAST_BOX = 4.0  # pixels of the photo: the shorter side of a box that can hold an object
WHOLE_PHOTO = 0.98  # of its area: a box of more is no box
CHECKED_SIDE = 400  # pixels of the shorter side at which a mask is judged
LEAST_IN_ONE = 0.6  # of an object: what its largest part has of it
MOST_OF_PHOTO = 0.8  # that an object covers


@dataclass(frozen=True, eq=False)
class Mark:
    """What a user says of where an object is: a `mask` (1, 1, H, W) at the photo's size, which is the object as it
    stands; or else any of a `box` around it, `points` on it, `excluded` points beside it (all fractions), and a rough
    scribble over or `around` it (1, 1, H, W)."""

    mask: Tensor | None = None
    box: Box | None = None
    points: tuple[Point, ...] = ()
    excluded: tuple[Point, ...] = ()
    around: Tensor | None = None


def check_mark(mark: Mark, size: tuple[int, int]) -> None:
    """Raises `EditError` if a box or a point of a mark lies outside a photo of this (width, height), a box holds no
    object or all there is, or nothing says where the object is."""
    if mark.box is not None:
        _check_box(mark.box, size, alone=not mark.points and mark.around is None)
    for x, y in (*mark.points, *mark.excluded):
        if not (0 <= x < 1 and 0 <= y < 1):
            raise EditError(f"the point {x:g},{y:g} lies outside the photo; give fractions from 0 to below 1")
    if mark.box is None and mark.around is None and not mark.points:
        raise EditError("nothing says where the object is; give a --box, a --point on it, or a scribble --around it")


def _check_box(box: Box, size: tuple[int, int], *, alone: bool) -> None:
    left, top, right, bottom = box
    said = f"the box {left:g},{top:g},{right:g},{bottom:g}"
    if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
        raise EditError(f"{said} is not LEFT,TOP,RIGHT,BOTTOM inside the photo")
    width, height = (right - left) * size[0], (bottom - top) * size[1]
    if min(width, height) < LEAST_BOX:
        raise EditError(
            f"{said} is {width:.3g}x{height:.3g} pixels, too small to hold an object; draw it around the whole object"
        )
    if alone and (right - left) * (bottom - top) > WHOLE_PHOTO:
        raise EditError(
            f"{said} is the whole photo, which does not say where in it the object is; draw it around the object, or "
            "add a --point on it"
        )


def check_selected(mask: Tensor, *, several: bool = False) -> None:
    """Raises `EditError` if a found mask (1, 1, H, W) is nothing, most of the photo, or unless it is `several` things,
    scattered parts."""
    step = max(1, min(mask.shape[-2:]) // CHECKED_SIDE)
    inside = mask[0, 0, ::step, ::step].numpy() > 0.5
    advice = "mark it with a closer --box, more points (--point on it, --not beside it), or a --mask"
    if not inside.any():
        raise EditError(f"no object stands out where the photo is marked; {advice}")
    if inside.mean() > MOST_OF_PHOTO:
        raise EditError(f"what is marked fills {inside.mean():.0%} of the photo, which is no single object; {advice}")
    parts, count = ndimage.label(inside)
    largest = np.bincount(parts.ravel())[1:].max() / inside.sum()
    if largest < LEAST_IN_ONE and not several:
        raise EditError(f"what is found comes apart in {count} pieces, not in one object; {advice}")
