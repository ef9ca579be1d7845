"""Did a new look change the object, all of it that has its paint, and nothing else? Knows two pictures and a mask."""

from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from realedit.evaluation.arrival import changed
from realedit.evaluation.closeup import close_up, colours, inside

SPILL_MARGIN = 0.02  # of the longer side of what is judged: so far beside a mask its soft edge may change
COLOURLESS = 12.0  # chroma in CIELAB: below it glass, tyres, chrome and print look grey
COLOURED = 24.0  # chroma in CIELAB: from here on a thing has a colour of its own
LEAST_COLOURED = (
    0.5  # of what is grey: with less that has a colour an object has none of its own, and grey is to be dyed
)


@dataclass(frozen=True)
class NewLook:
    """`changed`: the share of the object that changed visibly. `spilled`: what changed visibly beside it, over its
    area. `dyed`: the share of the object that was grey and has a colour now, 0 where it had no colour of its own.
    `colours_left`: the spread of its colours over that before."""

    changed: float
    spilled: float
    dyed: float
    colours_left: float


def new_look(before: Tensor, after: Tensor, mask: Tensor) -> NewLook:
    """Compare two pictures (1, 3, H, W) in and beside a mask (1, 1, H, W) that is not empty."""
    before, after, mask = close_up(mask, before, after, mask)
    within, differs = inside(mask), changed(before, after)
    reach = round(SPILL_MARGIN * max(within.shape))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    beside = ~(cv2.dilate(within.astype(np.uint8), kernel) > 0)
    then, now = (colours(picture)[within][:, 1:] for picture in (before, after))
    chroma = np.linalg.norm(then, axis=1)
    grey, coloured = chroma < COLOURLESS, chroma > COLOURED
    dyed = grey & (np.linalg.norm(now, axis=1) > COLOURED)
    return NewLook(
        changed=float(differs[within].mean()),
        spilled=float((differs & beside).sum() / within.sum()),
        dyed=float(dyed.mean()) if coloured.sum() > LEAST_COLOURED * grey.sum() else 0.0,
        colours_left=float(_spread(now) / (_spread(then) + 1e-6)),
    )


def _spread(chroma: np.ndarray) -> float:
    """The standard deviation of colours (n, 2)."""
    return float(np.linalg.norm(chroma.std(0)))
