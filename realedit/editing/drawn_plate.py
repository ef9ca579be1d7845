"""What lies behind objects as MI-GAN draws it, but for what it makes up.

Into a hole that has the shape of a thing the network now and then draws a thing: wheels where a car stood. Such parts
are like nothing around the hole. They are filled again as the photo goes on, and the better of the two is taken.
"""

from dataclasses import replace
from math import inf

from torch import Tensor

from realedit.evaluation.old_place import old_place
from realedit.inpainting.coherence import incoherence
from realedit.inpainting.migan import draw_hole
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like

FAMILIAR, STRANGE = 8.0, 12.0  # CIELAB units from the nearest patch: trusted up to here, and not at all from there
MADE_UP = 0.4  # of a hole that is strange: from there on it is filled again
LESS_STRANGE = 0.65  # of what was strange: at most so much may be left


def fill_as_drawn(photo: Tensor, hole: Tensor, others: Tensor, seed: int) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) as MI-GAN draws it, with the photo's own detail;
    nothing is copied from the `others` (1, 1, H, W).

    Raises:
        EditError: nothing is left around the hole to go by, or to copy from.
    """
    return fill_without_inventions(photo, hole, others, seed, draw_hole(photo, hole, others))


def fill_without_inventions(photo: Tensor, hole: Tensor, others: Tensor, seed: int, sketch: Sketch) -> Tensor:
    """The same as any `sketch` tells.

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    filled = fill_like(photo, hole, others, seed, sketch)
    strange = _strange(filled, hole, others)
    if strange < MADE_UP:
        return filled
    trust = (STRANGE - incoherence(sketch.image, hole, others)) / (STRANGE - FAMILIAR)
    again = fill_like(photo, hole, others, seed, replace(sketch, trust=trust.clamp(0, 1)))
    # What is behind things may be like nothing beside them: then copies are no better, or bring other colours.
    settled = _strange(again, hole, others) <= LESS_STRANGE * strange
    return again if settled and _off(again, hole, others) < _off(filled, hole, others) else filled


def _strange(filled: Tensor, hole: Tensor, others: Tensor) -> float:
    """The share of a filled hole that is like nothing around it."""
    inside = hole > 0.5
    return float((incoherence(filled, hole, others)[inside] > STRANGE).float().mean()) if inside.any() else 0.0


def _off(filled: Tensor, hole: Tensor, others: Tensor) -> float:
    """How far the colours of a filled hole are from those beside it, in CIELAB units."""
    found = old_place(filled, hole, others)
    return inf if found is None else found.tone + found.foreign
