"""Fill a hole with what a model drew and the photo's own detail.

Copies of what is around the hole have the photo's grain and sharpness, and are laid out like the drawing. Where the
photo has nothing like it, such as where a pole goes on, the drawing itself is better, with their grain.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor

from inversion.interruption import may_stop
from realedit.images import gaussian_blur
from realedit.inpainting.photo_fill import Sketch, fill_from_photo
from realedit.morphology import window

TONES_WIDTH = 4.0  # of what the drawing tells: the width over which copies are given its tones
LIKENESS_WIDTH = 2.0  # the same over which they are compared
ALIKE, UNLIKE = 0.02, 0.05  # of full brightness, in any channel: up to where copies are taken, from where they are not
MASKED = 2.0  # of the amplitude of grain: so much more is not seen in it
PLAINER = 1.5  # times: how much more structure copies may have than the drawing
LITTLE, MUCH = 0.004, 0.012  # of full brightness, beyond that: up to where copies are taken, from where they are not
REACH = 5.0  # of what the drawing tells: what lies farther from the hole makes no difference there
MOST_GRAIN = 2.2  # of the median of what is finer than the drawing: what is more is an edge


def fill_like(photo: Tensor, hole: Tensor, others: Tensor, seed: int, sketch: Sketch) -> Tensor:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) filled by copies of what is around it that are like
    the `sketch`, and by the sketch with their grain where there are none. Nothing is copied from the `others`
    (1, 1, H, W).

    Raises:
        EditError: nothing is left around the hole to copy from.
    """
    filled = fill_from_photo(photo, hole, others, seed, sketch)
    missing = hole[0, 0].numpy() > 0.5
    if missing.any():
        may_stop()
        rows, columns = window(missing, math.ceil(REACH * sketch.detail))
        near, drawn = (picture[..., rows, columns] for picture in (hole, sketch.image))
        trust = torch.ones_like(near) if sketch.trust is None else sketch.trust[..., rows, columns]
        filled[..., rows, columns] = _mixed(filled[..., rows, columns], near, replace(sketch, image=drawn), trust)
    return filled


def _mixed(copied: Tensor, hole: Tensor, sketch: Sketch, trust: Tensor) -> Tensor:
    """What was copied (1, 3, h, w) into a `hole` (1, 1, h, w), in the tones of the sketch, or the sketch itself, as far
    as that is to be trusted (1, 1, h, w)."""
    off = _averaged(sketch.image - copied, hole * trust, TONES_WIDTH * sketch.detail)
    toned = (copied + off * trust).clamp(0, 1)
    everywhere = torch.ones_like(hole)
    unlike = _averaged(sketch.image - toned, everywhere, sketch.detail).abs().amax(1, keepdim=True)
    may_stop()
    grain = copied - _averaged(copied, everywhere, sketch.detail)
    most = MOST_GRAIN * float(grain.abs()[(hole > 0.5).expand_as(grain)].median())
    grain = grain.clamp(-most, most)
    unseen = MASKED * _averaged(grain.abs().mean(1, keepdim=True), hole, TONES_WIDTH * sketch.detail)
    share = (_averaged(unlike, hole, LIKENESS_WIDTH * sketch.detail) - ALIKE) / (UNLIKE - ALIKE + unseen)
    more = _structure(toned, hole, sketch.detail) - PLAINER * _structure(sketch.image, hole, sketch.detail)
    share = torch.maximum(share, (more - LITTLE) / (MUCH - LITTLE))
    drawn = (sketch.image + grain).clamp(0, 1)
    return torch.where(hole > 0.5, torch.lerp(toned, drawn, share.clamp(0, 1) * trust), copied)


def _structure(image: Tensor, hole: Tensor, detail: float) -> Tensor:
    """How much (1, 1, h, w) an image (1, 3, h, w) differs in a `hole` (1, 1, h, w) from its own tones, but for what is
    finer than `detail` pixels."""
    everywhere = torch.ones_like(hole)
    shown = _averaged(image, everywhere, detail) - _averaged(image, everywhere, TONES_WIDTH * detail)
    return _averaged(shown.abs().amax(1, keepdim=True), hole, LIKENESS_WIDTH * detail)


def _averaged(image: Tensor, mask: Tensor, width: float) -> Tensor:
    """An image (1, C, H, W) averaged over a Gaussian of this `width` in pixels, inside a mask (1, 1, H, W)."""
    share = gaussian_blur(mask[0, 0], width, width).clamp(min=1e-6)
    return torch.stack([gaussian_blur(each, width, width) / share for each in (image * mask)[0]])[None]
