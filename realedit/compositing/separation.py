"""The photo taken apart: the scene without some of its objects, and what they leave on it: shadows, reflections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.compositing.effects import Effects, object_effects
from realedit.compositing.reflections import reflection_region
from realedit.images import resize
from realedit.inpainting.fill import fill_coarsely
from realedit.morphology import dilate, union

TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
MISSED_DIFFERENCE, MISSED_REACH = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side
SHADOW_REACH = 0.5  # of its extent: how far from an object a shadow is looked for where no model draws what it lies on


@dataclass(frozen=True, eq=False)
class CleanPlate:
    """What is behind the objects that leave their place: the `image` (1, 3, H, W), the scene without
    them, and the `residue` (1, 1, H, W) of them that their masks missed."""

    image: Tensor
    residue: Tensor

    @classmethod
    def of(cls, image: Tensor) -> "CleanPlate":
        """One from which no mask missed anything."""
        return cls(image, torch.zeros_like(image[:, :1]))

    def resized(self, size: tuple[int, int]) -> "CleanPlate":
        """In a picture of this size (width, height)."""
        return CleanPlate(resize(self.image, size), resize(self.residue, size))


def around(source: Tensor, reach: float) -> Tensor:
    """Where an object's shadow may lie: its mask grown by `reach` of its own extent."""
    extent = (float(source.mean()) * source.shape[-1] * source.shape[-2]) ** 0.5
    return dilate(source, reach * extent / min(source.shape[-2:]))


def separate(
    photo: Tensor, plate: Tensor, sources: Sequence[Tensor], margin: float
) -> tuple[CleanPlate, list[Effects]]:
    """The backdrop of a photo (1, 3, H, W) and each object's trace, given the clean `image` and the
    objects' masks.

    The plate's tones are matched to the photo's where both show the same, around the objects and their
    traces; `margin` is what masks miss at edges, a fraction of the shorter side."""
    hidden = dilate(covered_region(photo, plate, sources), margin)
    left = object_effects(photo, plate, sources)
    crumbs = torch.stack([missed_parts(photo, plate, s) for s in sources]).amax(0) * (1 - union(sources, plate))
    return CleanPlate(match_tones(plate, photo, 1 - hidden).clamp(0, 1), crumbs), left


def covered_region(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()) -> Tensor:
    """Where a photo shows the objects, their traces, or what their masks missed, rather than the `image`; those of
    `staying` objects are not among these."""
    left = [trace.visible() for trace in object_effects(photo, plate, sources, staying)]
    return union([*sources, *(missed_parts(photo, plate, source) for source in sources), *left], photo)


def separate_without_model(
    photo: Tensor, sources: Sequence[Tensor], beside: Tensor, margin: float
) -> tuple[CleanPlate, list[Effects]]:
    """As `separate` without a model's help: the plate is filled from the hole's edge. First in a wide hole, to see
    the shadows, and in a deep one, to see reflections; then where objects and both are. What stays, `beside`
    (1, 1, H, W), is no part of any."""

    def left_of(masks: Sequence[Tensor]) -> tuple[Tensor, list[Effects]]:
        hole = dilate(union([*sources, *masks], photo), margin) * (1 - beside)
        plate = fill_coarsely(photo, hole)
        return plate, [trace.within(hole) for trace in object_effects(photo, plate, sources)]

    near = [around(source, SHADOW_REACH) for source in sources]
    (_, wide), (_, deep) = left_of(near), left_of([*near, *(reflection_region(source) for source in sources)])
    first = [replace(one, reflection=other.reflection) for one, other in zip(wide, deep, strict=True)]
    plate, last = left_of([trace.visible() for trace in first])
    found = [replace(one, reflection=other.reflection) for one, other in zip(last, first, strict=True)]
    return CleanPlate.of(plate), found


def match_tones(image: Tensor, model: Tensor, where: Tensor) -> Tensor:
    """Add to `image` its smooth difference from `model`, as seen `where` (1, 1, H, W) is 1 and
    continued from there over everything else (normalised convolution)."""
    width = TONE_WIDTH * min(image.shape[-2:])
    weight = where[0, 0].numpy()
    spread = ndimage.gaussian_filter(weight, width) + 1e-6
    difference = ((model - image) * where)[0].numpy()
    smooth = np.stack([ndimage.gaussian_filter(channel, width) / spread for channel in difference])
    return image + torch.from_numpy(smooth).float()[None]


def missed_parts(photo: Tensor, plate: Tensor, source: Tensor) -> Tensor:
    """What touches the object's mask and is unlike the scene without it: parts that the mask missed."""
    unlike = ((photo - plate).abs().amax(1, keepdim=True) > MISSED_DIFFERENCE) & (dilate(source, MISSED_REACH) > 0.5)
    return _touching(unlike, source) * (1 - source)


def _touching(mask: Tensor, source: Tensor) -> Tensor:
    """The connected parts of a mask (1, 1, H, W) together with `source` that hold some of `source`."""
    inside = source[0, 0].numpy() > 0.5
    parts, _ = ndimage.label(mask[0, 0].numpy() | inside)
    own = np.unique(parts[inside])
    return torch.from_numpy(np.isin(parts, own[own > 0])).float()[None, None]
