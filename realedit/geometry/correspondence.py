"""From where in a photo each part of its edit comes: for what is defined on the cells of any map, such as noise and the
features of a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.properties import coordinates
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp

TOUCHED = 0.02  # share of a cell from which an object has a part in it
FILLED = 0.5  # share of a cell from which it counts as filled, or as read inside the frame


@dataclass(frozen=True, eq=False)
class Origin:
    """What comes to lie in a region: from where in the photo, `points` (1, 2, H, W), fractions (x, y), which are known
    beside the region too; `mask` (1, 1, H, W), 0 or 1, is the region."""

    points: Tensor
    mask: Tensor

    @classmethod
    def of_placement(cls, source: Tensor, placement: Placement) -> "Origin":
        """Of an object with the mask `source` (1, 1, H, W) that is set down as a placement says."""
        where = torch.cat((identity_points(source), torch.ones_like(source)), 1)
        warped = warp(where, placement)
        inside = warped[:, 2:]
        landed = (warp(source, placement) > 0.5) & (inside > FILLED)
        return cls(warped[:, :2] / inside.clamp(min=1e-3), landed.float())


def identity_points(like: Tensor) -> Tensor:
    """The place of each pixel of a picture (1, C, H, W): points (1, 2, H, W), fractions (x, y)."""
    x, y = coordinates(like.shape[-2], like.shape[-1], like=like)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]


@dataclass(frozen=True, eq=False)
class CellMap:
    """A correspondence on the cells of a map (h, w): the points (1, 2, h, w) where each reads the photo's own map, and
    which of them hold a part of an object, `objects` (1, 1, h, w), or are `filled` (1, 1, h, w) from elsewhere."""

    points: Tensor
    objects: Tensor
    filled: Tensor

    @property
    def changed(self) -> Tensor:
        """Where anything comes from elsewhere (1, 1, h, w)."""
        return torch.maximum(self.objects, self.filled)

    def carry(self, maps: Tensor, *, nearest: bool = False) -> Tensor:
        """The photo's `maps` (1, C, h, w) as they come to lie in the edit; `nearest` copies values instead of mixing
        them: use it on noise."""
        grid = (2 * self.points - 1).permute(0, 2, 3, 1).to(maps.device)
        mode = "nearest" if nearest else "bilinear"
        return F.grid_sample(maps, grid.to(maps.dtype), mode, padding_mode="border", align_corners=False)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """All of an edit: the `objects` set down, those in front later, and what old places are `filled` with, if there are
    any. Everything else stays where it is."""

    objects: Sequence[Origin]
    filled: Origin | None
    _known: dict[tuple[int, int], CellMap] = field(default_factory=dict)

    def at(self, size: tuple[int, int]) -> CellMap:
        """On the cells of a map of this size (h, w). A cell in which an object has any part reads what the object's
        edge is in the photo; one is filled only where no object reaches."""
        if size not in self._known:
            self._known[size] = self._on_cells(size)
        return self._known[size]

    def _on_cells(self, size: tuple[int, int]) -> CellMap:
        points = identity_points(torch.zeros(1, 1, *size))
        objects = filled = torch.zeros(1, 1, *size)
        if self.filled is not None:
            filled = (F.interpolate(self.filled.mask, size=size, mode="area") > FILLED).float()
            # Offsets, not places: neighbouring pixels may be filled from places far apart.
            offsets = self.filled.points - identity_points(self.filled.mask)
            points = points + filled * F.interpolate(offsets, size=size, mode="nearest-exact")
        for each in self.objects:
            covered = F.interpolate(each.mask, size=size, mode="area") > TOUCHED
            there = F.interpolate(each.points, size=size, mode="bilinear", align_corners=False)
            points, objects = torch.where(covered, there, points), torch.maximum(objects, covered.float())
        return CellMap(points, objects, filled * (1 - objects))
