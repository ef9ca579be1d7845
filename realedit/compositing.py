"""The rough result in pixels: the photo taken apart, and put together with the object elsewhere."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.edits import Placement
from realedit.filling import fill_coarsely
from realedit.matting import lift
from realedit.paste import feathered, grow
from realedit.warp import warp

SHADE = 0.94  # of the plate's brightness: what is darker beside the object is its shadow
VISIBLE = 0.97  # a shadow lighter than this is not worth touching pixels for
TONE_WIDTH = 0.06  # of the shorter side: how far tones are averaged where the plate meets the photo
SEAM = 0.015  # of the shorter side: the width of the seam between plate and photo
UNLIKE, CRUMBS = 0.12, 0.07  # a missed part differs by this much, within this of the shorter side
DEEPEST = 0.25  # a shadow never leaves less light than this
TINT = 0.2  # a shadow darkens red, green and blue alike; a larger difference is another surface


@dataclass(frozen=True, eq=False)
class Layers:
    """A photo taken apart: the object's `colour` (1, 3, H, W) and opacity `alpha` (1, 1, H, W), the
    `shadow` (1, 1, H, W) it casts as a factor of brightness (1 = none), the `crumbs` (1, 1, H, W) of
    the object that its mask missed, and the `plate` (1, 3, H, W) behind all."""

    colour: Tensor
    alpha: Tensor
    shadow: Tensor
    crumbs: Tensor
    plate: Tensor

    @property
    def behind(self) -> tuple[Tensor, Tensor, Tensor]:
        """All but the object itself."""
        return self.shadow, self.crumbs, self.plate


def layers_of(photo: Tensor, source: Tensor, shadow: Tensor, crumbs: Tensor, plate: Tensor) -> Layers:
    """Lift the object of the mask `source` off all that lies behind it."""
    return Layers(*lift(photo, plate * shadow, source), shadow, crumbs, plate)


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks (1, 1, H, W), 0 or 1, of one placement.

    `source`: the object before; `target`: after; `vacated`: source without target; `hole`: where
    the object and its shadow were, with a margin; `touched`: all that may change.
    """

    source: Tensor
    target: Tensor
    vacated: Tensor
    hole: Tensor
    touched: Tensor


def around(source: Tensor, reach: float) -> Tensor:
    """Where an object's shadow may lie: its mask grown by `reach` of its own extent."""
    extent = (float(source.mean()) * source.shape[-1] * source.shape[-2]) ** 0.5
    return grow(source, reach * extent / min(source.shape[-2:]))


def take_apart(photo: Tensor, plate: Tensor, source: Tensor, margin: float) -> Layers:
    """Layers of a photo (1, 3, H, W), given the clean `plate` and the object's mask.

    The plate's tones are matched to the photo's where both show the same, around the object and its
    shadow; `margin` is what masks miss at edges, a fraction of the shorter side."""
    hidden = grow(covered(photo, plate, source), margin)
    shadow, crumbs = cast_shadow(photo, plate, source), left_over(photo, plate, source)
    return layers_of(photo, source, shadow, crumbs, match_tones(plate, photo, 1 - hidden).clamp(0, 1))


def covered(photo: Tensor, plate: Tensor, source: Tensor) -> Tensor:
    """Where a photo shows the object, its shadow, or what its mask missed, rather than the `plate`."""
    cast = (cast_shadow(photo, plate, source) < VISIBLE).float()
    return torch.stack((source, left_over(photo, plate, source), cast)).amax(0)


def cut_out(photo: Tensor, source: Tensor, margin: float) -> Layers:
    """Layers without a model's help: the plate is filled from the hole's edge, no shadow is known."""
    plate = fill_coarsely(photo, grow(source, margin))
    return layers_of(photo, source, torch.ones_like(source), torch.zeros_like(source), plate)


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


def cast_shadow(photo: Tensor, plate: Tensor, source: Tensor) -> Tensor:
    """The shadow (1, 1, H, W) as a factor: what touches the object and is evenly darker than the
    scene without it."""
    light = (photo.clamp(min=0.02) / plate.clamp(min=0.02)).clamp(max=2)
    light = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    tint = light.amax(1, keepdim=True) - light.amin(1, keepdim=True)
    light = light.mean(1, keepdim=True)
    dark = ((light < SHADE) & (tint < TINT)) | (source > 0.5)
    opened = torch.from_numpy(ndimage.binary_opening(dark[0, 0].numpy()))[None, None]
    cast = (_touching(opened, source) > 0.5) & (source < 0.5)
    shadow = torch.where(cast, light.clamp(DEEPEST, 1), torch.ones_like(light))
    # Behind the object the shadow goes on as at the nearest edge: dark at its foot, none at its top.
    # The object's blurred edge says nothing of the light beside it, so it is passed over too.
    inside = grow(source, SEAM)[0, 0].numpy() > 0.5
    _, (rows, columns) = ndimage.distance_transform_edt(inside, return_indices=True)
    return _smooth(shadow[:, :, torch.from_numpy(rows), torch.from_numpy(columns)])


def regions_of(source: Tensor, layers: Layers, placement: Placement, margin: float) -> Regions:
    """`margin` is a fraction of the photo's shorter side, for what masks miss at edges."""
    target = (warp(source, placement) > 0.5).float()
    cast = (layers.shadow < VISIBLE).float()
    hole = grow(torch.stack((source, cast, layers.crumbs)).amax(0), margin)
    arrival = torch.maximum(target, (warp(cast, placement) > 0.5).float())
    return Regions(
        source=source,
        target=target,
        vacated=source * (1 - target),
        hole=hole,
        touched=torch.maximum(hole, grow(arrival, margin)),
    )


def composite(photo: Tensor, layers: Layers, regions: Regions, placement: Placement) -> Tensor:
    """The photo (1, 3, H, W) with plate in the hole, and object and shadow at their new place."""
    share = feathered(regions.hole, SEAM)
    background = photo + share * (layers.plate - photo)
    shaded = background * (1 - warp(1 - layers.shadow, placement))
    moved = warp(layers.colour * layers.alpha, placement)  # premultiplied: no fringe where it ends
    return moved + (1 - warp(layers.alpha, placement)) * shaded


def to_cells(mask: Tensor, latent: Tensor, share: float) -> Tensor:
    """A mask on the latent's grid: 1 in cells of which at least `share` is covered."""
    return (F.interpolate(mask, size=latent.shape[-2:], mode="area") >= share).float().to(latent.device)


def _smooth(image: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
