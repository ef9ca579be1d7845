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
from realedit.morphology import distance_inside

TOUCHED = 0.02  # share of a cell from which an object has a part in it
FILLED = 0.5  # share of a cell from which it counts as filled
IN_FRAME = 0.99  # share of a pixel from which it lies in the warped frame


@dataclass(frozen=True, eq=False)
class Origin:
    """What comes to lie in a region: from where in the photo, `points` (1, 2, H, W), fractions (x, y), which are known
    beside the region too; `mask` (1, 1, H, W), 0 or 1, is the region."""

    points: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False)
class Arrival:
    """An object set down as its `placement` says; `mask` (1, 1, H, W), 0 or 1, is where it comes to lie."""

    placement: Placement
    mask: Tensor

    @classmethod
    def of(cls, source: Tensor, placement: Placement) -> "Arrival":
        """Of an object with the mask `source` (1, 1, H, W)."""
        return cls(placement, (warp(source, placement) > 0.5).float())


def warped_photo(photo: Tensor, arrivals: Sequence[Arrival]) -> Tensor:
    """A photo (1, C, H, W) as it is to be seen where objects are set down, those in front first: all of it warped by
    the placement of the nearest; where that leaves the frame empty, the photo itself."""
    outside = [distance_inside(arrival.mask[0, 0].cpu().numpy() < 0.5) for arrival in arrivals]
    nearest = torch.stack([torch.from_numpy(distance) for distance in outside]).argmin(0)
    warped = photo
    for k, arrival in enumerate(arrivals):
        shown = (warp(torch.ones_like(photo[:, :1]), arrival.placement) > IN_FRAME) & (nearest == k)
        warped = torch.where(shown, warp(photo, arrival.placement), warped)
    return warped


def identity_points(like: Tensor) -> Tensor:
    """The place of each pixel of a picture (1, C, H, W): points (1, 2, H, W), fractions (x, y)."""
    x, y = coordinates(like.shape[-2], like.shape[-1], like=like)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]


@dataclass(frozen=True, eq=False)
class CellMap:
    """A correspondence on the cells of a map (h, w): which of them hold a part of an object that is set down,
    `objects` (1, 1, h, w), or are `filled` (1, 1, h, w) from elsewhere, and the points (1, 2, h, w) where each reads
    the photo's own map."""

    points: Tensor
    objects: Tensor
    filled: Tensor

    @property
    def changed(self) -> Tensor:
        """Where anything comes from elsewhere (1, 1, h, w)."""
        return torch.maximum(self.objects, self.filled)

    def carry(self, maps: Tensor, warped: Tensor | None, *, nearest: bool = False) -> Tensor:
        """The photo's `maps` (1, C, h, w) as they come to lie in the edit: objects have those of the `warped` photo,
        None if nothing is set down. `nearest` copies values instead of mixing them: use it on noise."""
        grid = (2 * self.points - 1).permute(0, 2, 3, 1).to(maps.device)
        mode = "nearest" if nearest else "bilinear"
        own = F.grid_sample(maps, grid.to(maps.dtype), mode, padding_mode="border", align_corners=False)
        return own if warped is None else torch.where(self.objects.to(maps.device) > 0.5, warped.to(own), own)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """All of an edit: where objects are set down, `objects` (1, 1, H, W), and what old places are `filled` with, if
    there are any. Everything else stays where it is."""

    objects: Tensor
    filled: Origin | None
    _known: dict[tuple[int, int], CellMap] = field(default_factory=dict)

    def at(self, size: tuple[int, int]) -> CellMap:
        """On the cells of a map of this size (h, w). A cell is filled only where no object has any part in it."""
        if size not in self._known:
            self._known[size] = self._on_cells(size)
        return self._known[size]

    def _on_cells(self, size: tuple[int, int]) -> CellMap:
        points = identity_points(torch.zeros(1, 1, *size))
        objects = (F.interpolate(self.objects, size=size, mode="area") > TOUCHED).float()
        if self.filled is None:
            return CellMap(points, objects, torch.zeros_like(objects))
        filled = (F.interpolate(self.filled.mask, size=size, mode="area") > FILLED).float() * (1 - objects)
        # Offsets, not places: neighbouring pixels may be filled from places far apart.
        offsets = self.filled.points - identity_points(self.filled.mask)
        points = points + filled * F.interpolate(offsets, size=size, mode="nearest-exact")
        return CellMap(points, objects, filled)
