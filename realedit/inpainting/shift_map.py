"""Shifts that lay a picture over itself.

On a floor or a table in perspective, patterns do not repeat at one distance: rows nearer to the viewer are
shifted farther, which is a shear along with the shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from realedit.morphology import dilate

# Of the shorter side: how far around the hole pictures are compared, over what width a shift must match to be
# tried, and how fast what is compared fades away from the hole.
BAND_WIDTH, MATCH_WIDTH, BAND_FADE = 0.25, 0.16, 0.08
LEVEL_STRETCH = (
    3.0  # horizons, shelves and tables' edges are level: how much farther than up and down all this goes sideways
)
OTHERS_MARGIN = 0.015  # of the shorter side: what masks of other objects miss
MOST_PLACES = 11  # that are compared
LARGEST_DIFFERENCE = 0.1  # squared difference of colours from which two pixels have nothing in common
SHEAR_PENALTY = 0.5  # by how much a shear of 1 counts as a worse match
HEIGHT_PENALTY = 6.0  # the same of a shift up or down by the shorter side
DEPTH_PENALTY = 1.0  # the same of a shift along a plane to where it is twice as large
LEAST_DIVISOR = 0.1  # what grows by more than 10 is behind the viewer
KNOWN_SHARE = 0.999


@dataclass(frozen=True)
class Shift:
    """Where a hole's pixel (x, y) is copied from: (x + dx + shear (y + dy - pivot_row), y + dy), in pixels.

    Along a level plane in perspective, `pivot_row` is the row of the horizon, and what is farther away is copied with a
    positive `depth_change`: distances from the horizon and from `column` are divided by
    1 + depth_change (y - pivot_row). On the plane itself that is a shift: 1 / (y - pivot_row) grows by
    `depth_change`, (x - column) / (y - pivot_row) by `shear`.
    """

    dx: float
    dy: float
    shear: float
    pivot_row: float
    depth_change: float = 0.0
    column: float | None = None

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Shift":
        """A shift along a level plane, of its `numbers`."""
        dx, dy, shear, deeper, middle, column = numbers
        return cls(dx, dy, shear, middle, deeper, column)

    @property
    def numbers(self) -> tuple[float, ...]:
        """All that `sources` wants to know."""
        return self.dx, self.dy, self.shear, self.depth_change, self.pivot_row, self.column or 0.0

    def times(self, factor: int) -> "Shift":
        """The same in a picture that is larger by `factor`."""
        column = None if self.column is None else self.column * factor
        dx, dy, middle = self.dx * factor, self.dy * factor, self.pivot_row * factor
        return Shift(dx, dy, self.shear, middle, self.depth_change / factor, column)

    def __call__(self, picture: Tensor) -> Tensor:
        """A picture (1, C, H, W) shifted; 0 where that comes from outside."""
        height, width = picture.shape[-2:]
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        return sampled(picture, *sources(torch.tensor([self.numbers])[..., None, None], x, y))


def sources(shifts: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Where shifts (n, 6, ...), each given by its numbers, copy pixels (x, y) from (n, ...)."""
    dx, dy, shear, deeper, middle, column = shifts.unbind(1)
    y = y + dy - middle
    x = x + dx + shear * y - column
    farther = (1 + deeper * y).clamp(min=LEAST_DIVISOR)
    return column + x / farther, middle + y / farther


def sampled(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A picture (1, C, H, W) at pixels x and y (1, h, w); 0 outside."""
    height, width = picture.shape[-2:]
    return F.grid_sample(picture, torch.stack((x * 2 / width - 1, y * 2 / height - 1), -1), align_corners=False)


@dataclass(frozen=True, eq=False)
class HoleContext:
    """A photo (3, H, W) with its `hole` (H, W), where it is `known` (H, W), and the `band` (H, W) of known
    pixels around the hole, weighted by nearness."""

    photo: Tensor
    hole: Tensor
    known: Tensor
    band: Tensor

    @classmethod
    def of(cls, photo: Tensor, hole: Tensor, others: Tensor) -> "HoleContext | None":
        """None where nothing is known around the hole, or there is none."""
        side = min(photo.shape[-2:])
        known = (1 - torch.maximum(hole, dilate(others, OTHERS_MARGIN)))[0, 0]
        far = torch.from_numpy(_distance(hole[0, 0] > 0.5)).float()
        band = known * (far <= BAND_WIDTH * side) * torch.exp(-far / (BAND_FADE * side))
        scene = cls(photo[0], hole[0, 0] > 0.5, known, band)
        return scene if scene.hole.any() and band.any() else None

    @property
    def side(self) -> int:
        return min(self.hole.shape)

    @cached_property
    def middle(self) -> float:
        """The hole's mean row: a shear turns about it."""
        return float(self.hole.nonzero()[:, 0].float().mean()) + 0.5

    @cached_property
    def seen(self) -> Tensor:
        """The photo with a fourth channel, 1 where it is known (1, 4, H, W)."""
        return torch.cat((self.photo, self.known[None]))[None]

    def prior(self, shift: Shift) -> float:
        """What a shift's misfit is multiplied by, since some are less likely than others."""
        if shift.column is not None:
            return 1 + DEPTH_PENALTY * abs(1 / (1 + shift.depth_change * (self.middle - shift.pivot_row)) - 1)
        return 1 + SHEAR_PENALTY * abs(shift.shear) + HEIGHT_PENALTY * abs(shift.dy) / self.side

    def places(self) -> Tensor:
        """Weights (n, H, W) of places all around the hole, each about as wide as a match must be."""
        points = (self.band > 0).nonzero().float()
        width = MATCH_WIDTH * self.side
        nearest = (points - points.mean(0)).square().sum(1)
        chosen = [points[nearest.argmin()]]
        nearest = (points - chosen[0]).square().sum(1)
        while nearest.max() > (1.3 * width) ** 2 and len(chosen) < MOST_PLACES:
            chosen.append(points[nearest.argmax()])
            nearest = torch.minimum(nearest, (points - chosen[-1]).square().sum(1))
        y, x = torch.meshgrid(*(torch.arange(n) for n in self.hole.shape), indexing="ij")
        return torch.stack([(self.band > 0) * _bell(y - cy, x - cx, width) for cy, cx in chosen])


def _bell(y: Tensor, x: Tensor, width: float) -> Tensor:
    return torch.exp(-(y.square() + x.square()) / (2 * width**2))


def _distance(hole: Tensor) -> np.ndarray:
    """How far each pixel (H, W) is from the hole, in pixels up or down."""
    return np.asarray(ndimage.distance_transform_edt(~hole.numpy(), sampling=(1, 1 / LEVEL_STRETCH)))


def colour_difference(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().sum(0).clamp(max=LARGEST_DIFFERENCE)
