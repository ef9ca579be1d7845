"""Continue a picture into a hole with what repeats around it: boards, tiles, stripes, a horizon.

The picture is laid over itself, shifted so that it matches around the hole, and seen through it (He and
Sun 2012); each part of the hole through the shift that matches best beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.images import blurred
from realedit.inpainting.fill import fill_level
from realedit.inpainting.planar_shifts import level_shifts
from realedit.inpainting.shift_map import KNOWN, RIM, UNLIKE, Scene, Shift, unlike
from realedit.inpainting.shift_search import candidates, sharpened
from realedit.morphology import grow

SEARCHED = 160  # pixels of the shorter side up to which shifts are looked for at full size
SPEAKS = 0.2, 0.05  # of the shorter side: how far across and down a match around the hole speaks for pixels in it
MOST_USED, EARNED = 8, 0.01  # shifts used at most, and the share of the misfit that each must save
ALIKE = 0.01  # a misfit that is higher by this gives a copy e times less of the mixture
TRUSTED = 0.02  # the misfit at which a continued pixel is trusted by one part in e
HINT, HINT_WIDTH = 1.0, (0.05, 0.05)  # what unlikeness to the same rows weighs; the width over which it is averaged
NOTHING = (1 + HINT) * UNLIKE  # the misfit where there is nothing to copy


@dataclass(frozen=True, eq=False)
class Continued:
    """A `photo` (1, 3, H, W) with its hole filled, and how far each pixel there can be trusted (1, 1, H, W): 1 where
    what was copied matches all around and is like its rows, 0 where there was nothing to copy."""

    photo: Tensor
    trust: Tensor


def continued(photo: Tensor, hole: Tensor, others: Tensor) -> Continued:
    """The photo (1, 3, H, W) with the `hole` (1, 1, H, W) filled by shifted copies of its surroundings.

    Nothing is copied from the `others` (1, 1, H, W). Of the shifts that match around the hole, those are
    taken that are also like what is in the same rows, which also shows where no copy reaches."""
    rows = torch.where(hole > 0.5, fill_level(photo, torch.maximum(hole, grow(others, RIM))), photo)
    scene = Scene.of(photo, hole, others)
    shifts = [] if scene is None else _useful(scene, photo, hole, others, rows)
    if scene is None or not shifts:
        return Continued(rows, torch.zeros_like(hole))
    variety = _variety(scene)
    return _mixed(rows, scene, [_Copy.of(scene, shift, rows, variety) for shift in shifts])


def _useful(scene: Scene, photo: Tensor, hole: Tensor, others: Tensor, rows: Tensor) -> list[Shift]:
    """The few shifts that fill the hole of a `scene` best, looked for in smaller pictures where these are large."""
    factor = -(-min(photo.shape[-2:]) // SEARCHED)

    def smaller(picture: Tensor) -> Tensor:
        return F.avg_pool2d(picture, factor, ceil_mode=True)

    small = Scene.of(smaller(photo), (smaller(hole) > 0).float(), smaller(others))
    shifts = [] if small is None else [*candidates(small), *level_shifts(small)]
    if small is None or not shifts:
        return []
    variety = _variety(small)
    misfits = torch.stack([_Copy.of(small, shift, smaller(rows), variety).misfit[small.hole] for shift in shifts])
    chosen = [shifts[k].times(factor) for k in _chosen(misfits)]
    off = (factor - 1) / 2
    return sharpened(scene, scene.band, chosen, (off, off, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class _Copy:
    """A shifted photo (3, H, W), and how ill it fits each pixel (H, W), as its surroundings and its rows say."""

    photo: Tensor
    misfit: Tensor

    @classmethod
    def of(cls, scene: Scene, shift: Shift, rows: Tensor, variety: Tensor) -> "_Copy":
        shifted = shift(scene.seen)[0]
        known = (shifted[3] > KNOWN).float()
        around = _averaged(unlike(shifted[:3], scene.photo), scene.band * known, SPEAKS, scene.side)
        hint = _averaged(unlike(shifted[:3], rows[0]), scene.hole * known, HINT_WIDTH, scene.side)
        misfit = around * scene.oddity(shift) + HINT * (hint - variety).clamp(min=0)
        return cls(shifted[:3], torch.where(known > 0, misfit, NOTHING))


def _variety(scene: Scene) -> Tensor:
    """How unlike the mean of its row what is known around the hole is (H, W), in half of the row at least: patterns
    are, and so may copies be; a shadow at the side is no reason."""
    total = scene.band.sum(1, keepdim=True)
    mean = (scene.photo * scene.band).sum(2, keepdim=True) / total.clamp(min=1e-6)
    apart = torch.where(scene.band > 0, unlike(scene.photo, mean), torch.nan).nanmedian(1, keepdim=True).values
    rows = HINT_WIDTH[1] * scene.side
    known = blurred(total, rows, rows)
    return (blurred(apart.nan_to_num() * total, rows, rows) / known.clamp(min=1e-6)).expand_as(scene.band)


def _averaged(values: Tensor, weights: Tensor, width: tuple[float, float], side: int) -> Tensor:
    """Values (H, W) averaged around each pixel with these weights (H, W), over a Gaussian of this `width` across
    and down, in fractions of `side` pixels."""
    x, y = (w * side for w in width)
    total = blurred(weights, x, y)
    return torch.where(total > 1e-6, blurred(values * weights, x, y) / total.clamp(min=1e-6), UNLIKE)


def _chosen(misfits: Tensor) -> list[int]:
    """Which of the copies, by their misfits (n, pixels) in the hole, to use: each pixel takes the one that
    fits it best of them, and each is worth it."""
    used: list[int] = []
    now = torch.full(misfits.shape[1:], NOTHING)
    while len(used) < MOST_USED:
        totals = torch.minimum(misfits, now).sum(1)
        best = int(totals.argmin())
        if used and totals[best] > (1 - EARNED) * now.sum():
            break
        used.append(best)
        now = torch.minimum(now, misfits[best])
    return used


def _mixed(rows: Tensor, scene: Scene, copies: Sequence[_Copy]) -> Continued:
    """The copies, each as far as it fits better than the others, with soft seams between them; what is in the
    same `rows` where none reaches. Copies that are unlike each other are trusted less."""
    misfits = torch.stack([copy.misfit for copy in copies])
    better = torch.softmax(-misfits / ALIKE, 0) * scene.hole
    shares = torch.stack([blurred(each, 1.0, 1.0) for each in better]) * scene.hole * (misfits < NOTHING)
    total = shares.sum(0).clamp(min=1e-6)
    each, some = torch.stack([copy.photo for copy in copies]), shares.sum(0) > 1e-6
    photo = torch.einsum("nhw,nchw->chw", shares, each) / total
    apart = torch.einsum("nhw,nchw->hw", shares, (each - photo).square()) / total
    trust = torch.exp(-(misfits.amin(0) + apart) / TRUSTED) * some
    photo = torch.where(some, photo, rows[0])
    return Continued(photo[None].clamp(0, 1), trust[None, None])
