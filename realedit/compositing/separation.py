"""The photo taken apart: the scene without some of its objects, and what they leave on it: shadows, reflections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.compositing.effects import Effects, object_effects
from realedit.images import resize
from realedit.morphology import dilate, touching, union

TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
MISSED_DIFFERENCE, MISSED_REACH = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side


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
    """The clean plate of a photo (1, 3, H, W) and each object's effects, given the scene without the objects, `plate`
    (1, 3, H, W), and the objects' masks, `sources` (1, 1, H, W).

    The plate's tones are matched to the photo's where both show the same, around the objects and their
    effects; `margin` is what masks miss at edges, a fraction of the shorter side."""
    hidden = dilate(covered_region(photo, plate, sources), margin)
    effects = object_effects(photo, plate, sources)
    residue = torch.stack([missed_parts(photo, plate, s) for s in sources]).amax(0) * (1 - union(sources, plate))
    return CleanPlate(match_tones(plate, photo, 1 - hidden).clamp(0, 1), residue), effects


def covered_region(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()) -> Tensor:
    """Where a photo shows the objects, their effects, or what their masks missed, rather than the `plate`; those of
    `staying` objects are not among these."""
    visible = [effects.visible() for effects in object_effects(photo, plate, sources, staying)]
    return union([*sources, *(missed_parts(photo, plate, source) for source in sources), *visible], photo)


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
    inside = source[0, 0].numpy() > 0.5
    found = touching(unlike[0, 0].numpy() | inside, inside)
    return torch.from_numpy(found).float()[None, None] * (1 - source)
