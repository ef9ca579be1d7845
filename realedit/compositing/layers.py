"""The rough result in pixels: objects lifted off the photo, and set down elsewhere on the plate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from realedit.compositing.effects import Trace
from realedit.compositing.matting import lift
from realedit.compositing.separation import Backdrop
from realedit.compositing.shadows import VISIBLE
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from realedit.morphology import feathered

SEAM = 0.015  # of the shorter side: the width of the seam between plate and photo


@dataclass(frozen=True, eq=False)
class Lifted:
    """An object taken off its photo: its `colour` (1, 3, H, W) and opacity `alpha` (1, 1, H, W), the
    `shadow` (1, 1, H, W) it casts as a factor of brightness (1 = none), and the `gleam` (1, 3, H, W), what its
    reflection adds to the light of the ground."""

    colour: Tensor
    alpha: Tensor
    shadow: Tensor
    gleam: Tensor


@dataclass(frozen=True, eq=False)
class Drawn:
    """An object at one place of the result: colour times opacity, opacity, the share of light that its shadow takes,
    and what its reflection adds, each (1, 3 or 1, H, W)."""

    premultiplied: Tensor
    alpha: Tensor
    shade: Tensor
    gleam: Tensor

    def left(self) -> Tensor:
        """Where shadow or reflection are seen (1, 1, H, W)."""
        return ((self.shade > 1 - VISIBLE) | (self.gleam.abs().amax(1, keepdim=True) > 1 - VISIBLE)).float()


def draw(lifted: Lifted, placement: Placement, size: tuple[int, int]) -> Drawn:
    """Set an object down in a frame of `size` (width, height); premultiplied, so that no fringe is left
    where it ends."""
    flat = replace(placement, bend=None)  # as shadows and reflections lie
    return Drawn(
        warp(lifted.colour * lifted.alpha, placement, size=size),
        warp(lifted.alpha, placement, size=size),
        warp(1 - lifted.shadow, flat, size=size),
        warp(lifted.gleam, flat, size=size),
    )


def colours_of(drawn: Sequence[Drawn], elsewhere: Tensor) -> Tensor:
    """The colours (1, 3, H, W) of an object wherever it was set down, without what is behind; those of
    `elsewhere` (1, 3, H, W) where it was not."""
    total = sum((each.alpha for each in drawn), torch.zeros_like(elsewhere[:, :1]))
    colour = sum((each.premultiplied for each in drawn), torch.zeros_like(elsewhere))
    return torch.where(total > 0, colour / total.clamp(min=1e-6), elsewhere).clamp(0, 1)


def lift_object(photo: Tensor, source: Tensor, trace: Trace, backdrop: Backdrop) -> Lifted:
    """Lift the object of the mask `source` off all that lies behind it."""
    gleam = trace.gleam(photo, backdrop.plate)
    return Lifted(*lift(photo, backdrop.plate * trace.shadow + gleam, source), trace.shadow, gleam)


def composite(photo: Tensor, backdrop: Backdrop, hole: Tensor, drawn: Sequence[Drawn]) -> Tensor:
    """The photo (1, 3, H, W) with the plate in the `hole`, shadows and reflections on it, and objects set down in
    turn."""
    share = feathered(hole, SEAM)
    result = photo + share * (backdrop.plate - photo)
    for each in drawn:
        result = (result * (1 - each.shade) + each.gleam).clamp(0, 1)
    for each in drawn:
        result = each.premultiplied + (1 - each.alpha) * result
    return result
