"""The part of a photo that the model works on: the touched region with its surroundings, so that a small
object in a large photo is seen, and drawn, at the model's full size. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from realedit.geometry.transform import Box, GridWarp, Placement, Point

if TYPE_CHECKING:
    from torch import Tensor

CONTEXT_MARGIN = 0.15  # of the touched region's width and height, added on every side: what the model goes by
LEAST_ASPECT = 0.5  # the shorter side of a part is at least this share of the longer, where the photo allows


@dataclass(frozen=True)
class ZoomLimits:
    """How near a part goes to its objects: the largest takes at most this `share` of the part's shorter side; the
    photo's pixels are `enlarged` at most so often; a part of more than `enough` of the photo's area would show too
    little more to be worth a second look."""

    share: float
    enlarged: float
    enough: float


NATURAL_ZOOM = ZoomLimits(share=0.2, enlarged=1.0, enough=0.3)  # as photos show their objects
CLOSE_ZOOM = ZoomLimits(
    share=0.35, enlarged=4.0, enough=0.8
)  # to draw a look anew, which is as fine as the model's cells


@dataclass(frozen=True)
class Crop:
    """A box (left, top, right, bottom) in pixels of a photo of `size` (width, height)."""

    size: tuple[int, int]
    box: tuple[int, int, int, int]

    @classmethod
    def whole(cls, size: tuple[int, int]) -> "Crop":
        return cls(size, (0, 0, *size))

    @property
    def is_whole(self) -> bool:
        return self.box == (0, 0, *self.size)

    @property
    def extent(self) -> tuple[int, int]:
        """(width, height) of the box in pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    def to_crop(self, point: Point) -> Point:
        """A point of the photo, in fractions of the part."""
        x, y = ((p * n - o) / m for p, n, o, m in zip(point, self.size, self.box[:2], self.extent, strict=True))
        return x, y

    def from_crop(self, point: Point) -> Point:
        """A point of the part, in fractions of the photo."""
        x, y = ((p * m + o) / n for p, n, o, m in zip(point, self.size, self.box[:2], self.extent, strict=True))
        return x, y

    def cut_out(self, picture: "Tensor") -> "Tensor":
        """The part of a picture (..., H, W) of the whole photo."""
        left, top, right, bottom = self.box
        return picture[..., top:bottom, left:right]

    def in_photo(self, mask: "Tensor") -> "Tensor":
        """A mask (1, 1, h, w) of the part, in the whole photo."""
        if self.is_whole:
            return mask
        left, top, right, bottom = self.box
        whole = mask.new_zeros(1, 1, self.size[1], self.size[0])
        whole[..., top:bottom, left:right] = mask
        return whole

    def placement(self, placement: Placement) -> Placement:
        """A placement in the photo, as one in the part."""
        (a, b), (c, d) = placement.linear
        stretched = self.extent[0] / self.extent[1] * self.size[1] / self.size[0]
        return replace(
            placement,
            anchor=self.to_crop(placement.anchor),
            target=self.to_crop(placement.target),
            linear=((a, b / stretched), (c * stretched, d)),
            grid_warp=placement.grid_warp and self._grid_warp(placement.grid_warp),
        )

    def _grid_warp(self, bend: GridWarp) -> GridWarp:
        left, top, right, bottom = bend.box
        sources = (bend.sources * self.size - self.box[:2]) / self.extent
        return GridWarp((*self.to_crop((left, top)), *self.to_crop((right, bottom))), sources)

    def inserted_placement(self, placement: Placement) -> Placement:
        """The same for something that comes from another photo: its scale is against the shorter side."""
        scale = placement.scale * min(self.size) / min(self.extent)
        return replace(placement, target=self.to_crop(placement.target), scale=scale)


def leaving_crop(crop: Crop, placement: Placement) -> Placement:
    """The placement of something that leaves the photo of this frame for another, as one of what the
    frame's part shows."""
    scale = placement.scale * min(crop.extent) / min(crop.size)
    return replace(placement, anchor=crop.to_crop(placement.anchor), scale=scale)


def box_in_target(box: Box, placement: Placement, size: tuple[int, int], other: tuple[int, int]) -> Box:
    """Where a box of a photo of `size` comes to lie in a photo of the `other` size."""
    scale = placement.scale * min(other) / min(size)
    (ax, ay), (tx, ty) = placement.anchor, placement.target
    across, down = scale * size[0] / other[0], scale * size[1] / other[1]
    left, top, right, bottom = box
    return (left - ax) * across + tx, (top - ay) * down + ty, (right - ax) * across + tx, (bottom - ay) * down + ty


def crop_around(
    touched: Sequence[Box],
    objects: Sequence[Box],
    size: tuple[int, int],
    native: int,
    limits: ZoomLimits = NATURAL_ZOOM,
) -> Crop:
    """The part of a photo of `size` in which all `touched` boxes (fractions) lie with room around them, and
    which goes as near to its `objects` as `limits` says, seen by a model of this `native` size.

    It is never stretched beyond two to one if the photo is not, and the whole photo where little would be left out."""
    sides = [(wide * size[0] * high * size[1]) ** 0.5 for wide, high in ((b[2] - b[0], b[3] - b[1]) for b in objects)]
    least = max(native / limits.enlarged, *(side / limits.share for side in sides))
    spans = []
    for axis in (0, 1):
        low, high = (f(box[axis + 2 * k] for box in touched) * size[axis] for k, f in ((0, min), (1, max)))
        low, high = max(0.0, low), min(float(size[axis]), high)
        length = max((high - low) * (1 + 2 * CONTEXT_MARGIN), least)
        spans.append([(low + high) / 2, length])
    longest = max(spans[0][1], spans[1][1])
    edges = []
    for (middle, length), limit in zip(spans, size, strict=True):
        length = min(limit, round(max(length, LEAST_ASPECT * longest)))
        first = min(max(0, round(middle - length / 2)), limit - length)
        edges.append((first, first + length))
    (left, right), (top, bottom) = edges
    if (right - left) * (bottom - top) > limits.enough * size[0] * size[1]:
        return Crop.whole(size)
    return Crop(size, (left, top, right, bottom))


def touched_boxes(box: Box, placements: Sequence[Placement], reach: float) -> list[Box]:
    """What the object of a `box` touches: where it is and where it goes, each grown by `reach` of its extent, within
    which its shadow lies."""
    left, top, right, bottom = box
    wide, high = reach * (right - left), reach * (bottom - top)
    grown = (left - wide, top - high, right + wide, bottom + high)
    boxes = [grown]
    for placement in placements:
        (a, b), (c, d) = placement(grown[:2]), placement(grown[2:])
        boxes.append((a, b, c, d))
    return boxes
