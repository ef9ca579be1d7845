"""What lies behind objects as MI-GAN draws it, but for what it makes up.

Into a hole that has the shape of a thing the network now and then draws a thing: wheels where a car stood. Such parts
are like nothing around the hole. It draws others, or none, when it is shown the same in a mirror or from nearer; and
what is strange in all its drawings is filled again as the photo goes on, if that is more like the photo.
"""

from dataclasses import replace

from torch import Tensor

from realedit.inpainting.coherence import incoherence
from realedit.inpainting.migan import draw_hole, views_of
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like

FAMILIAR, STRANGE = 8.0, 12.0  # CIELAB units from the nearest patch: trusted up to here, and not at all from there
FEW_STRANGE = 0.1  # of a hole: where no more is strange, no other drawing is asked for
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
    """Of what MI-GAN draws into a `hole` (1, 1, H, W), which is somewhere, of a photo (1, 3, H, W) in several views,
    what is most like that around it. Once hardly anything is strange no more are asked for.

    Raises:
        EditError: nothing is left around the hole to go by.
    """
    drawings: list[tuple[float, Sketch]] = []
    for view in views_of(hole, others):
        sketch = draw_hole(photo, hole, others, view)
        off = incoherence(sketch.image, hole, others)
        drawings.append((_mean(off, hole), sketch))
        if _strange(off, hole) <= FEW_STRANGE:
            break
    return min(drawings, key=lambda each: each[0])[1]


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
