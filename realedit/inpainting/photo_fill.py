"""Fill a hole in a photo with what the photo has, at its own resolution: texture, lines, grain and sharpness."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from inversion.interruption import may_stop
from realedit.inpainting.fill import falling_light
from realedit.inpainting.hole_layout import filled, sources
from realedit.inpainting.hole_part import HolePart
from realedit.morphology import window

CONTEXT_SIDES = 1.0  # of the hole's longer side: how far around it exemplars are taken from
LEAST_CONTEXT = 24  # the same in pixels


@dataclass(frozen=True, eq=False)
class Sketch:
    """A picture (1, 3, H, W) that tells what a hole shows, but nothing finer than `detail` of its pixels, as far as it
    is to be trusted: `trust` (1, 1, H, W), 1 for all, None for all everywhere."""

    image: Tensor
    detail: float
    trust: Tensor | None = None


def fill_from_photo(photo: Tensor, hole: Tensor, others: Tensor, seed: int = 0, sketch: Sketch | None = None) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) filled by copies of what is around it, nothing of
    which comes from the `others` (1, 1, H, W). Outside the hole every pixel is the photo's own. Copies are like the
    `sketch` as far as it goes, if there is one. Over a plain ground they are made without the light that falls off over
    it, which is put on again where they come to lie.

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    missing = hole[0, 0].numpy() > 0.5
    if not missing.any():
        return photo.clone()
    box = hole_context(missing)
    light, part = _without_light(photo, hole, others, box)
    if sketch is not None:
        expected = _rows(sketch.image[..., box[0], box[1]] - light)
        trust = None if sketch.trust is None else _rows(sketch.trust[..., box[0], box[1]])[..., 0]
        part = replace(part, expected=expected, detail=sketch.detail, trust=trust)
    may_stop()
    pixels = torch.from_numpy(filled(part, seed)).permute(2, 0, 1).float()
    may_stop()
    result = photo.clone()
    result[..., box[0], box[1]] = (pixels + light).clamp(0, 1)
    may_stop()
    return torch.where(hole > 0.5, result, photo)


def hole_sources(photo: Tensor, hole: Tensor, others: Tensor, seed: int = 0) -> Tensor:
    """From where in a photo (1, 3, H, W) each pixel of its `hole` (1, 1, H, W) is copied when it is filled so: points
    (1, 2, H, W), fractions (x, y); outside the hole each pixel's own.

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    height, width = photo.shape[-2:]
    rows, columns = np.mgrid[:height, :width]
    missing = hole[0, 0].numpy() > 0.5
    if missing.any():
        box = hole_context(missing)
        _, part = _without_light(photo, hole, others, box)
        down, across = sources(part, seed)
        rows[box], columns[box] = down + box[0].start, across + box[1].start
    points = np.stack(((columns + 0.5) / width, (rows + 0.5) / height))
    return torch.from_numpy(points)[None].float()


def _without_light(photo: Tensor, hole: Tensor, others: Tensor, box: tuple[slice, slice]) -> tuple[Tensor, HolePart]:
    """How much more light than on average falls on each pixel of a box (1, 3, h, w), as far as that can be told, and
    the part of the photo there without it."""
    around, gone, other = (picture[..., box[0], box[1]] for picture in (photo, hole, others))
    light = falling_light(around, gone)
    light = torch.zeros_like(around) if light is None else light - light.mean((2, 3), keepdim=True)
    return light, HolePart(_rows(around - light), gone[0, 0].numpy() > 0.5, other[0, 0].numpy() > 0.5)


def _rows(picture: Tensor) -> np.ndarray:
    return picture[0].permute(1, 2, 0).numpy()


def hole_context(missing: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns around a hole (H, W), which is somewhere, that are worked on."""
    longest = max(line.stop - line.start for line in window(missing))
    return window(missing, LEAST_CONTEXT + round(CONTEXT_SIDES * (longest - 1)))
