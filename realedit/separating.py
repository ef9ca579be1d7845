"""The photo taken apart: the scene without some of its objects, and the shadows that they cast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.filling import fill_coarsely
from realedit.paste import grow

SHADE = 0.94  # of the plate's brightness: what is darker beside the object is its shadow
VISIBLE = 0.97  # a shadow lighter than this is not worth touching pixels for
TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
BLUR = 0.015  # of the shorter side: how wide the object's blurred edge is at most
UNLIKE, CRUMBS = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side
DEEPEST = 0.25  # a shadow never leaves less light than this
NEAR = 0.5  # of its extent: how far from an object a shadow is looked for where no model draws what it lies on
TINT = 0.2  # a shadow darkens red, green and blue alike; a larger difference is another surface


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


def take_apart(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], margin: float) -> tuple[Backdrop, list[Tensor]]:
    """The backdrop of a photo (1, 3, H, W) and each object's shadow, given the clean `plate` and the
    objects' masks.

    The plate's tones are matched to the photo's where both show the same, around the objects and their
    shadows; `margin` is what masks miss at edges, a fraction of the shorter side."""
    hidden = grow(covered(photo, plate, sources), margin)
    shadows = _shadows(photo, plate, sources)
    crumbs = torch.stack([left_over(photo, plate, s) for s in sources]).amax(0) * (1 - union(sources, plate))
    return Backdrop(match_tones(plate, photo, 1 - hidden).clamp(0, 1), crumbs), shadows


def covered(photo: Tensor, plate: Tensor, sources: Sequence[Tensor]) -> Tensor:
    """Where a photo shows the objects, their shadows, or what their masks missed, rather than the `plate`."""
    cast = [(shadow < VISIBLE).float() for shadow in _shadows(photo, plate, sources)]
    return union([*sources, *(left_over(photo, plate, source) for source in sources), *cast], photo)


def cut_out(photo: Tensor, sources: Sequence[Tensor], beside: Tensor, margin: float) -> tuple[Backdrop, list[Tensor]]:
    """As `take_apart` without a model's help: the plate is filled from the hole's edge. First in a wide hole, to see
    the shadows; then where objects and shadows are. What stays, `beside` (1, 1, H, W), is no part of either."""
    wide = grow(union([around(source, NEAR) for source in sources], photo), margin) * (1 - beside)
    first = _cast(photo, fill_coarsely(photo, wide), sources, wide)
    hole = grow(union([*sources, *((shadow < VISIBLE).float() for shadow in first)], photo), margin) * (1 - beside)
    plate = fill_coarsely(photo, hole)
    return Backdrop(plate, torch.zeros_like(photo[:, :1])), _cast(photo, plate, sources, hole)


def _cast(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], within: Tensor) -> list[Tensor]:
    """The shadows as factors, as far as they lie `within` a mask (1, 1, H, W)."""
    return [torch.where(within > 0.5, shadow, 1.0) for shadow in _shadows(photo, plate, sources)]


def _shadows(photo: Tensor, plate: Tensor, sources: Sequence[Tensor]) -> list[Tensor]:
    """Each object's shadow, of which no other object is a part."""
    return [cast_shadow(photo, plate, source, _others(sources, k)) for k, source in enumerate(sources)]


def union(masks: Sequence[Tensor], like: Tensor) -> Tensor:
    """All masks (1, 1, H, W) in one; empty where there are none."""
    return torch.stack([torch.zeros_like(like[:, :1]), *masks]).amax(0)


def _others(sources: Sequence[Tensor], k: int) -> Tensor:
    return union([s for j, s in enumerate(sources) if j != k], sources[k])


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


def cast_shadow(photo: Tensor, plate: Tensor, source: Tensor, others: Tensor) -> Tensor:
    """The shadow (1, 1, H, W) as a factor: what touches the object and is evenly darker than the
    scene without it, and none of the `others` (1, 1, H, W)."""
    light = (photo.clamp(min=0.02) / plate.clamp(min=0.02)).clamp(max=2)
    light = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    tint = light.amax(1, keepdim=True) - light.amin(1, keepdim=True)
    light = light.mean(1, keepdim=True)
    dark = ((light < SHADE) & (tint < TINT) & (others < 0.5)) | (source > 0.5)
    opened = torch.from_numpy(ndimage.binary_opening(dark[0, 0].numpy()))[None, None]
    cast = (_touching(opened, source) > 0.5) & (source < 0.5)
    shadow = torch.where(cast, light.clamp(DEEPEST, 1), torch.ones_like(light))
    # Behind the object the shadow goes on as at the nearest edge: dark at its foot, none at its top.
    # The object's blurred edge says nothing of the light beside it, so it is passed over too.
    inside = grow(source, BLUR)[0, 0].numpy() > 0.5
    _, (rows, columns) = ndimage.distance_transform_edt(inside, return_indices=True)
    return _smooth(shadow[:, :, torch.from_numpy(rows), torch.from_numpy(columns)])


def _smooth(image: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
