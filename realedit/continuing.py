"""Continue a picture into a hole with what repeats around it: boards, tiles, stripes, a horizon.

The picture is laid over itself, shifted so that it matches around the hole, and seen through it (He and
Sun 2012); each part of the hole through the shift that matches best beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.filling import fill
from realedit.shifts import KNOWN, UNLIKE, Scene, Shift, candidates, polished, unlike

SEARCHED = 160  # pixels of the shorter side up to which shifts are looked for at full size
SPEAKS = 0.12  # of the shorter side: how far a match around the hole speaks for the pixels in it
MOST_USED, EARNED = 4, 0.02  # shifts used at most, and the share of the misfit that each must save
HINT, HINT_WIDTH = 1.0, 0.05  # what a guide's misfit weighs; the width over which it is averaged
NOTHING = (1 + HINT) * UNLIKE  # the misfit where there is nothing to copy


def continued(photo: Tensor, hole: Tensor, others: Tensor, guide: Tensor | None = None) -> Tensor:
    """The photo (1, 3, H, W) with the `hole` (1, 1, H, W) filled by shifted copies of its surroundings, and
    by waves where none reaches.

    Nothing is copied from the `others` (1, 1, H, W). Of the shifts that match around the hole, those are
    taken that are also like the `guide` (1, 3, H, W) in it: a rough idea of what is there, if there is one."""
    rough = fill(photo, torch.maximum(hole, others)) if guide is None else guide
    rough = torch.where(hole > 0.5, rough, photo)
    scene = Scene.of(photo, hole, others)
    if scene is None:
        return rough
    factor = -(-scene.side // SEARCHED)
    shifts = _useful(photo, hole, others, guide, factor)
    copies = [_Copy.of(scene, polished(scene, shift.times(factor), factor), guide) for shift in shifts]
    return _joined(rough, scene, copies) if copies else rough


def _useful(photo: Tensor, hole: Tensor, others: Tensor, guide: Tensor | None, factor: int) -> list[Shift]:
    """The few shifts that fill the hole best, looked for in pictures that are smaller by `factor`."""

    def smaller(picture: Tensor) -> Tensor:
        return F.avg_pool2d(picture, factor, ceil_mode=True)

    hint = None if guide is None else smaller(guide)
    scene = Scene.of(smaller(photo), (smaller(hole) > 0).float(), smaller(others))
    tried = [] if scene is None else [(shift, _Copy.of(scene, shift, hint)) for shift in candidates(scene)]
    if scene is None or not tried:
        return []
    return [tried[k][0] for k in _chosen(torch.stack([copy.misfit[scene.hole] for _, copy in tried]))]


@dataclass(frozen=True, eq=False)
class _Copy:
    """A shifted photo (3, H, W), and how ill it fits each pixel (H, W), as its surroundings and the guide say."""

    photo: Tensor
    misfit: Tensor

    @classmethod
    def of(cls, scene: Scene, shift: Shift, guide: Tensor | None) -> "_Copy":
        shifted = shift(torch.cat((scene.photo, scene.known[None]))[None])[0]
        known = (shifted[3] > KNOWN).float()
        around = _averaged(unlike(shifted[:3], scene.photo), scene.band * known, SPEAKS * scene.side)
        misfit = around * scene.oddity(shift)
        if guide is not None:
            hint = unlike(shifted[:3], guide[0])
            misfit = misfit + HINT * _averaged(hint, scene.hole * known, HINT_WIDTH * scene.side)
        return cls(shifted[:3], torch.where(known > 0, misfit, NOTHING))


def _averaged(values: Tensor, weights: Tensor, width: float) -> Tensor:
    """Values (H, W) averaged around each pixel with these weights (H, W), over a Gaussian of `width` pixels."""
    total = _blurred(weights, width)
    return torch.where(total > 1e-6, _blurred(values * weights, width) / total.clamp(min=1e-6), UNLIKE)


def _blurred(image: Tensor, width: float) -> Tensor:
    return torch.from_numpy(cv2.GaussianBlur(image.numpy(), (0, 0), width, borderType=cv2.BORDER_CONSTANT))


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


def _joined(rough: Tensor, scene: Scene, copies: Sequence[_Copy]) -> Tensor:
    """The copies, each where it fits best, with soft seams between them; what was `rough` where none reaches."""
    best = torch.stack([copy.misfit for copy in copies]).argmin(0)
    reaches = [scene.hole & (copy.misfit < NOTHING) for copy in copies]
    shares = [_blurred((scene.hole & (best == k)).float(), 1.0) * reach for k, reach in enumerate(reaches)]
    total = torch.stack(shares).sum(0)
    mixed = torch.stack([share * copy.photo for share, copy in zip(shares, copies, strict=True)]).sum(0)
    return torch.where(total > 1e-6, mixed / total.clamp(min=1e-6), rough[0])[None].clamp(0, 1)
