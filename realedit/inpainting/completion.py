"""Continue a picture into a hole with what repeats around it: boards, tiles, stripes, a horizon.

The picture is laid over itself, shifted so that it matches around the hole, and seen through it (He and
Sun 2012); each part of the hole through the shift that matches best beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.interruption import may_stop
from realedit.images import gaussian_blur
from realedit.inpainting.fill import fill_rows
from realedit.inpainting.planar_shifts import planar_shifts
from realedit.inpainting.shift_map import (
    KNOWN_SHARE,
    LARGEST_DIFFERENCE,
    OTHERS_MARGIN,
    HoleContext,
    Shift,
    colour_difference,
)
from realedit.inpainting.shift_search import candidates, refine_shifts
from realedit.morphology import dilate

SEARCH_SIDE = 160  # pixels of the shorter side up to which shifts are looked for at full size
MATCH_REACH = 0.2, 0.05  # of the shorter side: how far across and down a match around the hole speaks for pixels in it
MOST_SHIFTS, LEAST_GAIN = 8, 0.01  # shifts used at most, and the share of the misfit that each must save
MIXTURE_WIDTH = 0.01  # a misfit that is higher by this gives a copy e times less of the mixture
CONFIDENCE_WIDTH = 0.02  # the misfit at which a continued pixel is trusted by one part in e
ROW_WEIGHT, ROW_WIDTH = (
    1.0,
    (0.05, 0.05),
)  # what unlikeness to the same rows weighs; the width over which it is averaged
NO_COPY = (1 + ROW_WEIGHT) * LARGEST_DIFFERENCE  # the misfit where there is nothing to copy


@dataclass(frozen=True, eq=False)
class Completion:
    """A `image` (1, 3, H, W) with its hole filled, and how far each pixel there can be trusted (1, 1, H, W): 1 where
    what was copied matches all around and is like its rows, 0 where there was nothing to copy."""

    image: Tensor
    confidence: Tensor


def complete(photo: Tensor, hole: Tensor, others: Tensor) -> Completion:
    """The photo (1, 3, H, W) with the `hole` (1, 1, H, W) filled by shifted copies of its surroundings.

    Nothing is copied from the `others` (1, 1, H, W). Of the shifts that match around the hole, those are
    taken that are also like what is in the same rows, which also shows where no copy reaches."""
    rows = torch.where(hole > 0.5, fill_rows(photo, torch.maximum(hole, dilate(others, OTHERS_MARGIN))), photo)
    scene = HoleContext.of(photo, hole, others)
    shifts = [] if scene is None else _useful(scene, photo, hole, others, rows)
    if scene is None or not shifts:
        return Completion(rows, torch.zeros_like(hole))
    variety = _variety(scene)
    return _mixed(rows, scene, [_Copy.of(scene, shift, rows, variety) for shift in shifts])


def _useful(scene: HoleContext, photo: Tensor, hole: Tensor, others: Tensor, rows: Tensor) -> list[Shift]:
    """The few shifts that fill the hole of a `scene` best, looked for in smaller pictures where these are large."""
    factor = -(-min(photo.shape[-2:]) // SEARCH_SIDE)

    def smaller(picture: Tensor) -> Tensor:
        return F.avg_pool2d(picture, factor, ceil_mode=True)

    small = HoleContext.of(smaller(photo), (smaller(hole) > 0).float(), smaller(others))
    shifts = [] if small is None else [*candidates(small), *planar_shifts(small)]
    if small is None or not shifts:
        return []
    variety, small_rows = _variety(small), smaller(rows)
    misfits = torch.stack([_Copy.of(small, shift, small_rows, variety).misfit[small.hole] for shift in shifts])
    chosen = [shifts[k].times(factor) for k in _chosen(misfits)]
    off = (factor - 1) / 2
    return refine_shifts(scene, scene.band, chosen, (off, off, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class _Copy:
    """A shifted photo (3, H, W), and how ill it fits each pixel (H, W), as its surroundings and its rows say."""

    photo: Tensor
    misfit: Tensor

    @classmethod
    def of(cls, scene: HoleContext, shift: Shift, rows: Tensor, variety: Tensor) -> "_Copy":
        shifted = shift(scene.seen)[0]
        known = (shifted[3] > KNOWN_SHARE).float()
        around = _averaged(colour_difference(shifted[:3], scene.photo), scene.band * known, MATCH_REACH, scene.side)
        hint = _averaged(colour_difference(shifted[:3], rows[0]), scene.hole * known, ROW_WIDTH, scene.side)
        misfit = around * scene.prior(shift) + ROW_WEIGHT * (hint - variety).clamp(min=0)
        return cls(shifted[:3], torch.where(known > 0, misfit, NO_COPY))


def _variety(scene: HoleContext) -> Tensor:
    """How unlike the mean of its row what is known around the hole is (H, W), in half of the row at least: patterns
    are, and so may copies be; a shadow at the side is no reason."""
    total = scene.band.sum(1, keepdim=True)
    mean = (scene.photo * scene.band).sum(2, keepdim=True) / total.clamp(min=1e-6)
    apart = (
        torch.where(scene.band > 0, colour_difference(scene.photo, mean), torch.nan).nanmedian(1, keepdim=True).values
    )
    rows = ROW_WIDTH[1] * scene.side
    known = gaussian_blur(total, rows, rows)
    return (gaussian_blur(apart.nan_to_num() * total, rows, rows) / known.clamp(min=1e-6)).expand_as(scene.band)


def _averaged(values: Tensor, weights: Tensor, width: tuple[float, float], side: int) -> Tensor:
    """Values (H, W) averaged around each pixel with these weights (H, W), over a Gaussian of this `width` across
    and down, in fractions of `side` pixels."""
    x, y = (w * side for w in width)
    total = gaussian_blur(weights, x, y)
    return torch.where(total > 1e-6, gaussian_blur(values * weights, x, y) / total.clamp(min=1e-6), LARGEST_DIFFERENCE)


def _chosen(misfits: Tensor) -> list[int]:
    """Which of the copies, by their misfits (n, pixels) in the hole, to use: each pixel takes the one that
    fits it best of them, and each is worth it."""
    used: list[int] = []
    now = torch.full(misfits.shape[1:], NO_COPY)
    while len(used) < MOST_SHIFTS:
        may_stop()
        totals = torch.minimum(misfits, now).sum(1)
        best = int(totals.argmin())
        if used and totals[best] > (1 - LEAST_GAIN) * now.sum():
            break
        used.append(best)
        now = torch.minimum(now, misfits[best])
    return used


def _mixed(rows: Tensor, scene: HoleContext, copies: Sequence[_Copy]) -> Completion:
    """The copies, each as far as it fits better than the others, with soft seams between them; what is in the
    same `rows` where none reaches. Copies that are unlike each other are trusted less."""
    misfits = torch.stack([copy.misfit for copy in copies])
    better = torch.softmax(-misfits / MIXTURE_WIDTH, 0) * scene.hole
    shares = torch.stack([gaussian_blur(each, 1.0, 1.0) for each in better]) * scene.hole * (misfits < NO_COPY)
    total = shares.sum(0).clamp(min=1e-6)
    each, some = torch.stack([copy.photo for copy in copies]), shares.sum(0) > 1e-6
    photo = torch.einsum("nhw,nchw->chw", shares, each) / total
    apart = torch.einsum("nhw,nchw->hw", shares, (each - photo).square()) / total
    trust = torch.exp(-(misfits.amin(0) + apart) / CONFIDENCE_WIDTH) * some
    photo = torch.where(some, photo, rows[0])
    return Completion(photo[None].clamp(0, 1), trust[None, None])
