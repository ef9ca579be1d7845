"""Fill a hole with what a model drew and the photo's own detail.

Copies of what is around the hole have the photo's grain and sharpness, and are laid out like the drawing. Where the
photo has nothing like it, such as where a pole goes on, the drawing itself is better.
"""

import torch
from torch import Tensor

from realedit.images import gaussian_blur
from realedit.inpainting.photo_fill import Sketch, fill_from_photo

TONES_WIDTH = 4.0  # of what the drawing tells: the width over which copies are given its tones
LIKENESS_WIDTH = 2.0  # the same over which they are compared
ALIKE, UNLIKE = 0.02, 0.05  # of full brightness, in any channel: up to where copies are taken, from where they are not


def fill_like(photo: Tensor, hole: Tensor, others: Tensor, seed: int, sketch: Sketch) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) filled by copies of what is around it that are like
    the `sketch`, and by the sketch itself where there are none. Nothing is copied from the `others` (1, 1, H, W).

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    copied = fill_from_photo(photo, hole, others, seed, sketch)
    off = _averaged(sketch.image - copied, hole, TONES_WIDTH * sketch.detail)
    copied = (copied + off).clamp(0, 1)
    unlike = _averaged(sketch.image - copied, torch.ones_like(hole), sketch.detail).abs().amax(1, keepdim=True)
    unlike = _averaged(unlike, hole, LIKENESS_WIDTH * sketch.detail)
    drawn = ((unlike - ALIKE) / (UNLIKE - ALIKE)).clamp(0, 1)
    return torch.where(hole > 0.5, torch.lerp(copied, sketch.image, drawn), photo)


def _averaged(image: Tensor, mask: Tensor, width: float) -> Tensor:
    """An image (1, C, H, W) averaged over a Gaussian of this `width` in pixels, inside a mask (1, 1, H, W)."""
    share = gaussian_blur(mask[0, 0], width, width).clamp(min=1e-6)
    return torch.stack([gaussian_blur(each, width, width) / share for each in (image * mask)[0]])[None]
