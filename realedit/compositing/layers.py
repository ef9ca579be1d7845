"""Layers: objects extracted from the photo with their matte, and placed elsewhere on the clean plate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.interruption import may_stop
from realedit.compositing.effects import Effects
from realedit.compositing.matting import estimate_matte
from realedit.compositing.separation import CleanPlate
from realedit.compositing.shadows import VISIBLE_SHADE
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from realedit.morphology import feather


@dataclass(frozen=True, eq=False)
class ObjectLayer:
    """An object taken off its photo: its `colour` (1, 3, H, W) and opacity `alpha` (1, 1, H, W), the
    `shadow` (1, 1, H, W) it casts as a factor of brightness (1 = none), and the `reflection` (1, 3, H, W), what its
    reflection adds to the light of the ground."""

    colour: Tensor
    alpha: Tensor
    shadow: Tensor
    reflection: Tensor

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "ObjectLayer":
        """The same in other colours, to which `convert` takes pictures (1, 3, H, W)."""
        return replace(self, colour=convert(self.colour))


@dataclass(frozen=True, eq=False)
class PlacedLayer:
    """An object at one place of the result: colour times opacity, opacity, the share of light that its shadow takes,
    and what its reflection adds, each (1, 3 or 1, H, W)."""

    premultiplied: Tensor
    alpha: Tensor
    shade: Tensor
    reflection: Tensor

    def effects(self) -> Tensor:
        """Where shadow or reflection are seen (1, 1, H, W)."""
        return (
            (self.shade > 1 - VISIBLE_SHADE) | (self.reflection.abs().amax(1, keepdim=True) > 1 - VISIBLE_SHADE)
        ).float()


def place(layer: ObjectLayer, placement: Placement, size: tuple[int, int]) -> PlacedLayer:
    """Set an object down in a frame of `size` (width, height); premultiplied, so that no fringe is left
    where it ends."""
    flat = replace(placement, grid_warp=None)  # as shadows and reflections lie
    object_ = warp(torch.cat((layer.colour * layer.alpha, layer.alpha), 1), placement, size=size)
    shade, reflection = (_placed_effect(each, flat, size) for each in (1 - layer.shadow, layer.reflection))
    return PlacedLayer(object_[:, :3], object_[:, 3:], shade, reflection)


def _placed_effect(effect: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """An effect (1, C, H, W) that is 0 where there is none, where it is placed; one number for all where it is none."""
    if not effect.any():
        return effect.new_zeros(()).expand(*effect.shape[:2], size[1], size[0])
    return warp(effect, placement, size=size)


def layer_colours(layers: Sequence[PlacedLayer], elsewhere: Tensor) -> Tensor:
    """The colours (1, 3, H, W) of an object wherever it was set down, without what is behind; those of
    `elsewhere` (1, 3, H, W) where it was not."""
    total = sum((layer.alpha for layer in layers), torch.zeros_like(elsewhere[:, :1]))
    colour = sum((layer.premultiplied for layer in layers), torch.zeros_like(elsewhere))
    return torch.where(total > 0, colour / total.clamp(min=1e-6), elsewhere).clamp(0, 1)


def extract_layer(photo: Tensor, mask: Tensor, effects: Effects, clean_plate: CleanPlate) -> ObjectLayer:
    """Extract the object of a `mask` (1, 1, H, W) from the photo (1, 3, H, W), with what it leaves on the clean plate
    behind it."""
    return ObjectLayer(*estimate_matte(photo, mask), effects.shadow, effects.reflected_light(photo, clean_plate.image))


def blend_layers(
    photo: Tensor, clean_plate: CleanPlate, hole: Tensor, layers: Sequence[PlacedLayer], seam: float
) -> Tensor:
    """The photo (1, 3, H, W) with the plate in the `hole`, shadows and reflections on it, and objects set down in
    turn. `seam` is how wide the one becomes the other, a fraction of the shorter side."""
    share = feather(hole, seam)
    result = torch.lerp(photo, clean_plate.image, share)
    for layer in layers:
        may_stop()
        if layer.shade.any() or layer.reflection.any():
            result = (result * (1 - layer.shade) + layer.reflection).clamp(0, 1)
    for layer in layers:
        may_stop()
        result = layer.premultiplied + (1 - layer.alpha) * result
    return result
