"""The photo taken apart: the scene without some of its objects, and what they leave on it: shadows, reflections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from realedit.compositing.effects import Effects, object_effects
from realedit.compositing.reflections import reflection_region
from realedit.compositing.shadows import VISIBLE_SHADE, cast_shadows
from realedit.images import resize
from realedit.inpainting.fill import fill_smoothly
from realedit.morphology import components, dilate, touching, union

TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
MISSED_DIFFERENCE, MISSED_REACH = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side
FAINTEST_SHADOW = 0.85  # light: what is nowhere darker, against tones continued from afar, may be a vignette
CONTACT_REACH = 0.12  # of its extent: how far from an object its contact shadow reaches
CUT_OFF = 0.35  # of the root of its area: a dark part that is cut off on more pixels than that goes on beyond
SHADED_FROM = 0.4  # of an object's height, from its top: no shadow on the ground lies higher up
FOOT_FROM = 0.85  # of an object's height, from its top: its shadow on the ground reaches as far down
MOSTLY_SHADED = 0.3  # light: what is darker than that on more than half of its pixels is no shadow
SHADOW_REACH = 0.7  # of its extent: how far from an object a shadow is looked for where no model draws what it lies on


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


def effects_without_model(photo: Tensor, sources: Sequence[Tensor], beside: Tensor, margin: float) -> list[Effects]:
    """What each of the `sources`, masks (1, 1, H, W), leaves beside it in a photo (1, 3, H, W) of which no model knows
    what is behind them: against the tones that go on from a hole's edge. First in a wide hole, to see the shadows, and
    in a deep one, to see reflections; then where objects and both are. What stays, `beside` (1, 1, H, W), is no part of
    any."""

    def plate_within(masks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        hole = dilate(union([*sources, *masks], photo), margin) * (1 - beside)
        return fill_smoothly(photo, hole), hole

    def shadows_within(masks: Sequence[Tensor]) -> list[Effects]:
        plate, hole = plate_within(masks)
        found = [Effects(each, torch.zeros_like(each)) for each in cast_shadows(photo, plate, sources)]
        return [each.within(hole * _may_be_shaded(source)) for each, source in zip(found, sources, strict=True)]

    near = [around(source, SHADOW_REACH) for source in sources]
    beside_it = [around(source, CONTACT_REACH) for source in sources]
    plate, hole = plate_within([*near, *(reflection_region(source) for source in sources)])
    reflections = [each.within(hole).reflection for each in object_effects(photo, plate, sources)]
    wide = shadows_within(near)
    seen = [torch.maximum(each.visible(), mirrored) for each, mirrored in zip(wide, reflections, strict=True)]
    cast = [_from_the_foot(one, source) for one, source in zip(shadows_within(seen), sources, strict=True)]
    found = [replace(one, reflection=r) for one, r in zip(cast, reflections, strict=True)]
    return [_plausible(each, wide, close) for each, wide, close in zip(found, near, beside_it, strict=True)]


def _plausible(effects: Effects, wide: Tensor, close: Tensor) -> Effects:
    """Effects of which the shadow can be the object's: none if it is nowhere dark; and if it goes on beyond where it
    was looked for, within `wide` (1, 1, H, W), so that it may be the ground's own darkness, only what lies `close`."""
    if effects.shadow.min() >= FAINTEST_SHADOW:
        return effects.without_shadow()
    dark = (effects.shadow < VISIBLE_SHADE).float()
    ends = dark * (wide - dilate(wide, -2.0 / min(wide.shape[-2:]))).clamp(min=0)
    goes_on = float(ends.sum()) > CUT_OFF * float(dark.sum()) ** 0.5
    return replace(effects, shadow=torch.where(close > 0.5, effects.shadow, 1.0)) if goes_on else effects


def _from_the_foot(effects: Effects, source: Tensor) -> Effects:
    """Effects of which the shadow begins where the object, a mask (1, 1, H, W), stands: dark parts beside it that end
    higher up are other things, and so is what is mostly darker than any shadow."""
    inside = source[0, 0].numpy() > 0.5
    rows = np.flatnonzero(inside.any(1))
    if not len(rows):
        return effects
    light = effects.shadow[0, 0].numpy()
    foot = rows[0] + FOOT_FROM * (rows[-1] - rows[0])
    kept = inside.copy()
    for part in components((light < VISIBLE_SHADE) & ~inside):
        if np.flatnonzero(part.any(1))[-1] >= foot and np.median(light[part]) > MOSTLY_SHADED:
            kept |= part
    return replace(effects, shadow=torch.where(torch.from_numpy(kept), effects.shadow, 1.0))


def _may_be_shaded(source: Tensor) -> Tensor:
    """Where (1, 1, H, W) the ground may lie on which an object stands: not beside its top."""
    rows = (source[0, 0] > 0.5).any(1).nonzero()[:, 0]
    below = torch.zeros_like(source)
    if len(rows):
        top, foot = int(rows[0]), int(rows[-1])
        below[..., top + round(SHADED_FROM * (foot - top)) :, :] = 1
    return below


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
