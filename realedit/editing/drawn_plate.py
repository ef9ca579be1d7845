"""What lies behind objects as MI-GAN draws it, but for what it makes up.

Into a hole that has the shape of a thing the network now and then draws a thing: wheels where a car stood. Such parts
are like nothing around the hole. It draws others, or none, when it is shown the same in a mirror or from nearer, or
when it draws the hole from its rim inwards, what is left of which has the shape of nothing; and what is strange in all
its drawings is filled again as the photo goes on, if that is more like the photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.images import resize
from realedit.inpainting.coherence import incoherence
from realedit.inpainting.migan import draw_hole, pixels_drawn_as_one, views_of
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like
from realedit.morphology import distance_inside

FAMILIAR, STRANGE = 8.0, 12.0  # CIELAB units from the nearest patch: trusted up to here, and not at all from there
FEW_STRANGE = 0.1  # of a hole: where no more is strange, no other drawing is asked for
MUCH_COARSER = 1.5  # pixels drawn as one: from there on a smaller photo serves
KEPT_RIM = 0.35  # of a hole's depth: how wide a rim of a drawing is kept before the rest is drawn
KEPT_RIMS = 2  # how often that is done
MADE_UP = 0.3  # of a hole that is strange: from there on it is filled again
LESS_STRANGE = 0.7  # of how strange it was as seen from afar: at most so much may be left


def fill_as_drawn(photo: Tensor, hole: Tensor, others: Tensor, seed: int) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) as MI-GAN draws it, with the photo's own detail;
    nothing is copied from the `others` (1, 1, H, W).

    Raises:
        EditError: nothing is left around the hole to go by, or to copy from.
    """
    if not (hole > 0.5).any():
        return photo.clone()
    return fill_without_inventions(photo, hole, others, seed, least_strange(photo, hole, others))


def least_strange(photo: Tensor, hole: Tensor, others: Tensor) -> Sketch:
    """Of what MI-GAN draws into a `hole` (1, 1, H, W), which is somewhere, of a photo (1, 3, H, W) in several ways,
    what is most like that around it. Once hardly anything is strange no more are asked for.

    Raises:
        EditError: nothing is left around the hole to go by.
    """
    views, size = views_of(hole, others), (photo.shape[-1], photo.shape[-2])
    coarser = min(pixels_drawn_as_one(hole, others, view) for view in views)
    if coarser > MUCH_COARSER:  # what is finer than its pixels it neither sees nor draws
        small = max(1, round(size[0] / coarser)), max(1, round(size[1] / coarser))
        left, beside = ((F.interpolate(each, size=small[::-1], mode="area") > 0).float() for each in (hole, others))
        if not torch.maximum(left, beside).all():
            sketch = least_strange(resize(photo, small), left, beside)
            return Sketch(torch.where(hole > 0.5, resize(sketch.image, size), photo), sketch.detail * coarser)
    drawings: list[_Drawing] = []
    for view in views:
        drawings.append(_Drawing.of(draw_hole(photo, hole, others, view), hole, others))
        if drawings[-1].strange <= FEW_STRANGE:
            break
    else:
        drawings.append(_inwards(photo, hole, others, _best(drawings)))
    return _best(drawings).sketch


@dataclass(frozen=True, eq=False)
class _Drawing:
    """What was drawn into a hole, how far it is from the photo around it, `off` (1, 1, H, W) in CIELAB units: in the
    `mean` over the hole, and in which share of that it is `strange`."""

    sketch: Sketch
    off: Tensor
    mean: float
    strange: float

    @classmethod
    def of(cls, sketch: Sketch, hole: Tensor, others: Tensor) -> "_Drawing":
        off = incoherence(sketch.image, hole, others)
        return cls(sketch, off, _mean(off, hole), _strange(off, hole))


def _best(drawings: Sequence[_Drawing]) -> _Drawing:
    return min(drawings, key=lambda each: each.mean)


def _inwards(photo: Tensor, hole: Tensor, others: Tensor, first: _Drawing) -> _Drawing:
    """A `hole` (1, 1, H, W) drawn from its rim inwards: what is familiar near the rim of one drawing is there when the
    rest is drawn."""
    drawing, left, known = first, hole, photo
    for _ in range(KEPT_RIMS):
        depth = distance_inside(left[0, 0].numpy() > 0.5)
        rim = (torch.from_numpy(depth) < KEPT_RIM * float(depth.max()))[None, None] & (drawing.off <= STRANGE)
        known = torch.where(rim & (left > 0.5), drawing.sketch.image, known)
        left = left * ~rim
        drawn = draw_hole(known, left, others).image
        drawing = _Drawing.of(replace(first.sketch, image=drawn), hole, others)
    return drawing


def fill_without_inventions(photo: Tensor, hole: Tensor, others: Tensor, seed: int, sketch: Sketch) -> Tensor:
    """A `hole` (1, 1, H, W), which is somewhere, as any `sketch` tells but for what is made up there.

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    filled = fill_like(photo, hole, others, seed, sketch)
    if _strange(incoherence(filled, hole, others), hole) < MADE_UP:
        return filled
    trust = (STRANGE - incoherence(sketch.image, hole, others)) / (STRANGE - FAMILIAR)
    again = fill_like(photo, hole, others, seed, replace(sketch, trust=trust.clamp(0, 1)))
    # From near every copy is like the photo, and a heap of them is not; and what is hidden may be like nothing there.
    before, after = (_mean(incoherence(each, hole, others, afar=True), hole) for each in (filled, again))
    return again if after < LESS_STRANGE * before else filled


def _mean(off: Tensor, hole: Tensor) -> float:
    return float(off[hole > 0.5].mean())


def _strange(off: Tensor, hole: Tensor) -> float:
    """The share of a hole (1, 1, H, W) that is like nothing around it."""
    return float((off[hole > 0.5] > STRANGE).float().mean())
