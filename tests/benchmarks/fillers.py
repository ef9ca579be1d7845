"""Ways to fill a hole: of OpenCV, of PyPatchMatch, and the program's own."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from patchmatch import patch_match
from torch import Tensor

from realedit.images import to_bytes

RADIUS = 5  # pixels, of both ways of OpenCV that work from the edge inwards
PATCH_RADIUS = 3  # pixels, as in the library's own examples
SEED = 0

Filler = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A photo (1, 3, H, W), its hole and what must not be copied (1, 1, H, W) -> the photo with its hole filled."""


def telea(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """Fast marching (Telea 2004)."""
    return _tensor(cv2.inpaint(_bytes(photo), _mask(hole), RADIUS, cv2.INPAINT_TELEA))


def navier_stokes(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """Isophotes continued (Bertalmio et al. 2001)."""
    return _tensor(cv2.inpaint(_bytes(photo), _mask(hole), RADIUS, cv2.INPAINT_NS))


def shift_map(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """OpenCV's shift map (He and Sun 2012), in CIELAB as it asks for. It cannot be told what not to copy."""
    cv2.setRNGSeed(SEED)
    lab = cv2.cvtColor(_bytes(photo), cv2.COLOR_RGB2LAB)
    filled = np.zeros_like(lab)
    cv2.xphoto.inpaint(lab, 255 - _mask(hole), filled, cv2.xphoto.INPAINT_SHIFTMAP)
    return _tensor(cv2.cvtColor(filled, cv2.COLOR_LAB2RGB))


def patchmatch(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """PatchMatch (Barnes et al. 2009), coarse to fine."""
    patch_match.set_random_seed(SEED)
    unused = _mask(others) & ~_mask(hole)
    filled = patch_match.inpaint(_bytes(photo), _mask(hole), global_mask=unused, patch_size=PATCH_RADIUS)
    return _tensor(filled)


def copies(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """What `--fill photo` does."""
    from realedit.inpainting.photo_fill import fill_from_photo

    return fill_from_photo(photo, hole, others, seed=SEED)


def migan(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """What MI-GAN draws (Sargsyan et al. 2023), as it is."""
    from realedit.inpainting.migan import draw_hole

    return draw_hole(photo, hole, others).image


def realedit(photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
    """What the program fills a hole with in a photo that the text-to-image model does not know."""
    from realedit.editing.drawn_plate import fill_as_drawn

    return fill_as_drawn(photo, hole, others, SEED)


FILLERS: dict[str, Filler] = {
    "telea": telea,
    "navier-stokes": navier_stokes,
    "shift-map": shift_map,
    "patchmatch": patchmatch,
    "copies": copies,
    "migan": migan,
    "realedit": realedit,
}


def _bytes(photo: Tensor) -> np.ndarray:
    return np.ascontiguousarray(to_bytes(photo))


def _mask(mask: Tensor) -> np.ndarray:
    return (mask[0, 0].numpy() > 0.5).astype(np.uint8) * 255


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
