"""What objects leave beside them in a photo of which no model knows what is behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realedit.compositing.effects import Effects, object_effects
from realedit.compositing.open_ground import open_ground
from realedit.compositing.reflections import reflection_region
from realedit.compositing.separation import around
from realedit.compositing.shadows import TOUCHING_PIXELS, VISIBLE_SHADE, behind_too, cast_shadows, light_left
from realedit.inpainting.fill import fill_smoothly
from realedit.inpainting.plain_ground import is_mostly_plain
from realedit.morphology import components, dilate, distance_inside, union, window

FAINTEST_SHADOW = 0.85  # light: what is nowhere darker, against tones continued from afar, may be a vignette
FAINTEST_ON_PLAIN = 0.95  # the same where the ground is plain
CONTACT_REACH = 0.12  # of its extent: how far from an object its contact shadow reaches
CUT_OFF = 0.35  # of the root of its area: a dark part that is cut off on more pixels than that goes on beyond
SHADES = VISIBLE_SHADE, 0.9, 0.8, 0.7, 0.6  # light: where what is lighter goes on beyond, what is darker may still end
PENUMBRA = 2.0  # pixels around what is darker that still are its own
SHADED_FROM, SHADED_ALL = 0.4, 0.55  # of its height, from its top: no shadow on the ground lies higher up, and any here
FOOT_FROM = 0.85  # of an object's height, from its top: its shadow on the ground reaches as far down
FEET_BESIDE = 0.3  # of its width: how far to its sides the feet of what stands there reach
STANDING_SHAPE = 1.5  # of its width: what rises so high beside an object stands there, if it is also
LEAST_STANDING = 0.3  # of the object's height
MOSTLY_SHADED = 0.3  # light: what is darker than that on more than half of its pixels is no shadow
SHADOW_REACH = 0.7  # of its extent: how far from an object a shadow is looked for where no model draws what it lies on
LONG_REACH = 2.0  # the same of one that goes on there
MISTAKEN = 1.25  # light: where half of the ground has more than was expected, that is not as light as the ground
LARGEST_SHADOW = 1.0  # of an object's area: what is larger is a ground of its own


def effects_without_model(photo: Tensor, sources: Sequence[Tensor], beside: Tensor, margin: float) -> list[Effects]:
    """What each of the `sources`, masks (1, 1, H, W), leaves beside it in a photo (1, 3, H, W) of which no model knows
    what is behind them: against the tones that go on from a hole's edge. First in a wide hole, to see the shadows, and
    in a deep one, to see reflections; then where objects and both are. What stays, `beside` (1, 1, H, W), is no part of
    any."""

    def plate_within(masks: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        hole = dilate(union([*sources, *masks], photo), margin) * (1 - beside)
        return fill_smoothly(photo, hole), hole

    def shadows_within(plate: Tensor, hole: Tensor) -> list[Tensor]:
        found = cast_shadows(photo, plate, sources)
        return [torch.where(hole * _ground(s) > 0, each, 1.0) for each, s in zip(found, sources, strict=True)]

    near = [around(source, SHADOW_REACH) for source in sources]
    plate, hole = plate_within([*near, *(reflection_region(source) for source in sources)])
    reflections = [each.within(hole).reflection for each in object_effects(photo, plate, sources)]
    plate, hole = plate_within(near)
    light = torch.where(hole * (1 - union(sources, photo)) > 0, light_left(photo, plate), 1.0)
    surroundings = [_Surroundings(source, reach, light) for source, reach in zip(sources, near, strict=True)]
    first = shadows_within(plate, hole)
    objects = union([*sources, beside], photo)
    long = [
        _looked_for_again(photo, objects, around_it, shadow, margin)
        for around_it, shadow in zip(surroundings, first, strict=True)
    ]
    seen = [(f if far is None else far) < VISIBLE_SHADE for f, far in zip(first, long, strict=True)]
    tight = plate_within([torch.maximum(one.float(), other) for one, other in zip(seen, reflections, strict=True)])
    shadows = [
        around_it.plausible(shadow) if far is None else far
        for around_it, shadow, far in zip(surroundings, shadows_within(*tight), long, strict=True)
    ]
    return [Effects(_soft(*each), reflection) for *each, reflection in zip(shadows, sources, reflections, strict=True)]


def _looked_for_again(
    photo: Tensor, objects: Tensor, around_it: "_Surroundings", shadow: Tensor, margin: float
) -> Tensor | None:
    """A shadow (1, 1, H, W) as it is seen on the open ground, if what was found, `shadow`, is none although the ground
    is plain, or goes on, or cannot be believed. None: it stands, or nothing better is found."""
    plain = around_it.whole(shadow) is None and is_mostly_plain(photo, dilate(around_it.source, margin))
    if plain or around_it.cuts_off(shadow) or around_it.is_mistaken:
        return _shadow_on_open_ground(photo, around_it.source, objects, plain=plain)
    return None


def _shadow_on_open_ground(photo: Tensor, source: Tensor, objects: Tensor, *, plain: bool) -> Tensor | None:
    """The shadow (1, 1, H, W) that an object, a mask (1, 1, H, W), has as far as long ones reach, against the tones
    that the ground has around what is darker; None if what is seen there could be something else. On a `plain` ground
    even what is hardly darker shows. No other of the `objects` (1, 1, H, W) is any of it."""
    reach = around(source, LONG_REACH)
    ground = reach * torch.maximum(source, 1 - objects) * (_ground(source) > 0)
    smooth, plate = open_ground(photo, source, ground)
    light = torch.where(source > 0.5, 1.0, light_left(smooth, plate))
    shadow = light.clamp(max=1) if plain else cast_shadows(smooth, plate, [source])[0]
    surroundings = _Surroundings(source, reach, light, FAINTEST_ON_PLAIN if plain else FAINTEST_SHADOW)
    found = surroundings.whole(torch.where(ground > 0, shadow, 1.0))
    if found is None or (found < VISIBLE_SHADE).sum() > LARGEST_SHADOW * source.sum():
        return None
    return found


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """What is around an object, a mask `source` (1, 1, H, W): how far shadows are looked for, `reach` (1, 1, H, W), and
    how much `light` there is of what was expected there (1, 1, H, W), 1 on all objects. What is nowhere darker than
    the `faintest` is no shadow."""

    source: Tensor
    reach: Tensor
    light: Tensor
    faintest: float = FAINTEST_SHADOW

    def plausible(self, shadow: Tensor) -> Tensor:
        """A shadow (1, 1, H, W) as far as it can be the object's: all of it, or else only what lies close."""
        whole = self.whole(shadow)
        if whole is not None:
            return whole
        shadow = self._beside(shadow)
        begun = self._from_the_foot(torch.where(self._standing(shadow), 1.0, shadow), VISIBLE_SHADE)
        return 1 - (1 - begun) * self._close()

    def whole(self, shadow: Tensor) -> Tensor | None:
        """What of a shadow (1, 1, H, W) can be the object's: it lies on the ground and begins at the object's foot, is
        dark somewhere, ends within reach, and the ground is not as dark in as many other places. None if nothing
        can."""
        shadow = self._beside(shadow)
        standing = self._standing(shadow)
        shadow = torch.where(standing, 1.0, shadow)
        for shade in SHADES:
            dark = self._from_the_foot(shadow, shade)
            others = (self.light < shade) & (_ground(self.source) > 0) & (dark == 1) & ~standing
            one_of_many = bool(others.sum() > (dark < 1).sum())
            if dark.min() < 1 and not self._goes_on(dark) and not one_of_many:
                own = dilate((dark < 1).float(), PENUMBRA / min(dark.shape[-2:]))
                return torch.where(own > 0.5, shadow, 1.0)
        return None

    def cuts_off(self, shadow: Tensor) -> bool:
        """Whether a shadow (1, 1, H, W) that begins at the object's foot goes on beyond where it is looked for."""
        return self._goes_on(self._from_the_foot(self._beside(shadow), VISIBLE_SHADE))

    @property
    def is_mistaken(self) -> bool:
        """Whether the ground is much lighter than what was expected there."""
        ground = (self.reach * (1 - self.source) * _ground(self.source)) > 0
        return bool(ground.any()) and float(self.light[ground].median()) > MISTAKEN

    def _beside(self, shadow: Tensor) -> Tensor:
        return torch.where(self.source > 0.5, 1.0, shadow)

    def _standing(self, shadow: Tensor) -> Tensor:
        """What of a shadow (1, 1, H, W) stands beside the object, with its feet: on the ground nothing reaches higher
        up than to the side."""
        dark = shadow[0, 0].numpy() < VISIBLE_SHADE
        standing, rows = np.zeros_like(dark), np.flatnonzero((self.source[0, 0] > 0.5).any(1).numpy())
        if len(rows):
            height = int(rows[-1] - rows[0])
            dark[round(rows[0] + FOOT_FROM * height) :] = False
            for part in components(dark):
                down, across = window(part)
                high, wide = down.stop - down.start, across.stop - across.start
                if high > max(STANDING_SHAPE * wide, LEAST_STANDING * height):
                    feet = round(FEET_BESIDE * wide)
                    standing[down.start :, max(0, across.start - feet) : across.stop + feet] = True
        return torch.from_numpy(standing)[None, None]

    def _from_the_foot(self, shadow: Tensor, shade: float) -> Tensor:
        """What is darker than a `shade` of a shadow (1, 1, H, W) and begins where the object stands: parts that touch
        it nowhere or end higher up are other things, and so is what is nowhere dark, or mostly darker than any
        shadow."""
        inside = self.source[0, 0].numpy() > 0.5
        rows = np.flatnonzero(inside.any(1))
        kept = np.zeros_like(inside)
        if len(rows):
            foot = rows[0] + FOOT_FROM * (rows[-1] - rows[0])
            near = dilate(self.source, TOUCHING_PIXELS / min(inside.shape))[0, 0].numpy() > 0.5
            light = shadow[0, 0].numpy()
            for part in components((light < shade) & ~inside):
                stands = np.flatnonzero(part.any(1))[-1] >= foot and (part & near).any()
                if stands and np.median(light[part]) > MOSTLY_SHADED and light[part].min() < self.faintest:
                    kept |= part
        return torch.where(torch.from_numpy(kept), shadow, 1.0)

    def _close(self) -> Tensor:
        """How close to the object it is (1, 1, H, W): 1 beside it, 0 from where no contact shadow reaches."""
        inside = self.source[0, 0].numpy() > 0.5
        away = distance_inside(~inside) / max(1.0, float(inside.sum()) ** 0.5)
        return torch.from_numpy((1 - away / CONTACT_REACH).clip(0, 1))[None, None]

    def _goes_on(self, shadow: Tensor) -> bool:
        """Whether a shadow (1, 1, H, W) goes on beyond where shadows are looked for."""
        dark = (shadow < 1).float()
        ends = dark * (self.reach - dilate(self.reach, -2.0 / min(dark.shape[-2:]))).clamp(min=0)
        return float(ends.sum()) > CUT_OFF * float(dark.sum()) ** 0.5


def _soft(shadow: Tensor, source: Tensor) -> Tensor:
    """A shadow (1, 1, H, W) of an object, a mask (1, 1, H, W), as one is seen: it fades up its sides, and goes on
    behind it."""
    return behind_too(1 - (1 - shadow) * _ground(source), source)


def _ground(source: Tensor) -> Tensor:
    """How likely (1, 1, H, 1) the ground is seen beside an object, a mask (1, 1, H, W), on each row: not beside its
    top."""
    rows = (source[0, 0] > 0.5).any(1).nonzero()[:, 0]
    if not len(rows):
        return torch.zeros_like(source[..., :1])
    height = (torch.arange(source.shape[-2]) - rows[0]) / max(1, int(rows[-1] - rows[0]))
    return ((height - SHADED_FROM) / (SHADED_ALL - SHADED_FROM)).clamp(0, 1)[None, None, :, None]
