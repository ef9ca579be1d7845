"""The photo taken apart: the scene without some of its objects, and what they leave on it: shadows, reflections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.compositing.effects import Trace, traces
from realedit.compositing.reflections import below
from realedit.inpainting.fill import fill_coarsely
from realedit.morphology import grow, union

TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
UNLIKE, CRUMBS = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side
NEAR = 0.5  # of its extent: how far from an object a shadow is looked for where no model draws what it lies on


@dataclass(frozen=True, eq=False)
class Backdrop:
    """What is behind the objects that leave their place: the `plate` (1, 3, H, W), the scene without
    them, and the `crumbs` (1, 1, H, W) of them that their masks missed."""

    plate: Tensor
    crumbs: Tensor


def around(source: Tensor, reach: float) -> Tensor:
    """Where an object's shadow may lie: its mask grown by `reach` of its own extent."""
    extent = (float(source.mean()) * source.shape[-1] * source.shape[-2]) ** 0.5
    return grow(source, reach * extent / min(source.shape[-2:]))


def take_apart(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], margin: float) -> tuple[Backdrop, list[Trace]]:
    """The backdrop of a photo (1, 3, H, W) and each object's trace, given the clean `plate` and the
    objects' masks.

    The plate's tones are matched to the photo's where both show the same, around the objects and their
    traces; `margin` is what masks miss at edges, a fraction of the shorter side."""
    hidden = grow(covered(photo, plate, sources), margin)
    left = traces(photo, plate, sources)
    crumbs = torch.stack([left_over(photo, plate, s) for s in sources]).amax(0) * (1 - union(sources, plate))
    return Backdrop(match_tones(plate, photo, 1 - hidden).clamp(0, 1), crumbs), left


def covered(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()) -> Tensor:
    """Where a photo shows the objects, their traces, or what their masks missed, rather than the `plate`; those of
    `staying` objects are not among these."""
    left = [trace.seen() for trace in traces(photo, plate, sources, staying)]
    return union([*sources, *(left_over(photo, plate, source) for source in sources), *left], photo)


def cut_out(photo: Tensor, sources: Sequence[Tensor], beside: Tensor, margin: float) -> tuple[Backdrop, list[Trace]]:
    """As `take_apart` without a model's help: the plate is filled from the hole's edge. First in a wide hole, to see
    the shadows, and in a deep one, to see reflections; then where objects and both are. What stays, `beside`
    (1, 1, H, W), is no part of any."""

    def left_of(masks: Sequence[Tensor]) -> tuple[Tensor, list[Trace]]:
        hole = grow(union([*sources, *masks], photo), margin) * (1 - beside)
        plate = fill_coarsely(photo, hole)
        return plate, [trace.within(hole) for trace in traces(photo, plate, sources)]

    near = [around(source, NEAR) for source in sources]
    (_, wide), (_, deep) = left_of(near), left_of([*near, *(below(source) for source in sources)])
    first = [replace(one, reflection=other.reflection) for one, other in zip(wide, deep, strict=True)]
    plate, last = left_of([trace.seen() for trace in first])
    found = [replace(one, reflection=other.reflection) for one, other in zip(last, first, strict=True)]
    return Backdrop(plate, torch.zeros_like(photo[:, :1])), found


def match_tones(image: Tensor, model: Tensor, where: Tensor) -> Tensor:
    """Add to `image` its smooth difference from `model`, as seen `where` (1, 1, H, W) is 1 and
    continued from there over everything else (normalised convolution)."""
    width = TONE_WIDTH * min(image.shape[-2:])
    weight = where[0, 0].numpy()
    spread = ndimage.gaussian_filter(weight, width) + 1e-6
    difference = ((model - image) * where)[0].numpy()
    smooth = np.stack([ndimage.gaussian_filter(channel, width) / spread for channel in difference])
    return image + torch.from_numpy(smooth).float()[None]


def left_over(photo: Tensor, plate: Tensor, source: Tensor) -> Tensor:
    """What touches the object's mask and is unlike the scene without it: parts that the mask missed."""
    unlike = ((photo - plate).abs().amax(1, keepdim=True) > UNLIKE) & (grow(source, CRUMBS) > 0.5)
    return _touching(unlike, source) * (1 - source)


def _touching(mask: Tensor, source: Tensor) -> Tensor:
    """The connected parts of a mask (1, 1, H, W) together with `source` that hold some of `source`."""
    inside = source[0, 0].numpy() > 0.5
    parts, _ = ndimage.label(mask[0, 0].numpy() | inside)
    own = np.unique(parts[inside])
    return torch.from_numpy(np.isin(parts, own[own > 0])).float()[None, None]
