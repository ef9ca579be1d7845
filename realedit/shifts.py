"""Shifts that lay a picture over itself so that it matches around a hole.

On a floor or a table in perspective, patterns do not repeat at one distance: rows nearer to the viewer are
shifted farther, which is a shear along with the shift.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

from realedit.paste import depth, grow

SHEARS = tuple(n / 5 for n in range(-5, 6))  # pixels sideways for each pixel down
# Of the shorter side: how far around the hole pictures are compared, over what width a shift must match to be
# tried, and how fast what is compared fades away from the hole.
BAND, LOCAL, FADES = 0.25, 0.16, 0.08
RIM = 0.015  # of the shorter side: what masks of other objects miss
LEAST_SEEN, LEAST_FILLED = 0.5, 0.3  # of the place that is compared, and of the hole: what a shift must show
MOST_PLACES, TRIED = 11, 4  # places that are compared, and shifts tried for each
UNLIKE = 0.1  # squared difference of colours from which two pixels have nothing in common
PLAIN = 0.5  # by how much a shear of 1 counts as a worse match
LEVEL = 3.0  # the same of a shift up or down by the shorter side: horizons, shelves and tables' edges are level
KNOWN = 0.999


@dataclass(frozen=True)
class Shift:
    """Where a hole's pixel (x, y) is copied from: (x + dx + shear (y + dy - middle), y + dy), in pixels."""

    dx: float
    dy: float
    shear: float
    middle: float

    def times(self, factor: int) -> "Shift":
        """The same in a picture that is larger by `factor`."""
        return Shift(self.dx * factor, self.dy * factor, self.shear, self.middle * factor)

    def __call__(self, picture: Tensor) -> Tensor:
        """A picture (1, C, H, W) shifted; 0 where that comes from outside."""
        height, width = picture.shape[-2:]
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        y = y + self.dy
        x = x + self.dx + self.shear * (y - self.middle)
        grid = torch.stack((x * 2 / width - 1, y * 2 / height - 1), -1)[None]
        return F.grid_sample(picture, grid, align_corners=False)


@dataclass(frozen=True, eq=False)
class Scene:
    """A photo (3, H, W) with its `hole` (H, W), where it is `known` (H, W), and the `band` (H, W) of known
    pixels around the hole, weighted by nearness."""

    photo: Tensor
    hole: Tensor
    known: Tensor
    band: Tensor

    @classmethod
    def of(cls, photo: Tensor, hole: Tensor, others: Tensor) -> "Scene | None":
        """None where nothing is known around the hole, or there is none."""
        side = min(photo.shape[-2:])
        known = (1 - torch.maximum(hole, grow(others, RIM)))[0, 0]
        far = torch.from_numpy(depth(hole[0, 0].numpy() <= 0.5))
        band = known * (far <= BAND * side) * torch.exp(-far / (FADES * side))
        scene = cls(photo[0], hole[0, 0] > 0.5, known, band)
        return scene if scene.hole.any() and band.any() else None

    @property
    def side(self) -> int:
        return min(self.hole.shape)

    @property
    def middle(self) -> float:
        """The hole's mean row: a shear turns about it."""
        return float(self.hole.nonzero()[:, 0].float().mean()) + 0.5

    def oddity(self, shift: Shift) -> float:
        """What a shift's misfit is multiplied by, since some are less likely than others."""
        return 1 + PLAIN * abs(shift.shear) + LEVEL * abs(shift.dy) / self.side

    def places(self) -> Tensor:
        """Weights (n, H, W) of places all around the hole, each about as wide as a match must be."""
        points = (self.band > 0).nonzero().float()
        width = LOCAL * self.side
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


def candidates(scene: Scene) -> list[Shift]:
    """The shifts that match best around each place, over all shears; whole pixels, compared by Fourier
    transforms at once."""
    places = scene.places()
    window = _Window.of((places.sum(0) > 0) | scene.hole)
    middle, size = scene.middle, window.size
    sums, covered = places.sum((1, 2))[:, None, None], scene.hole.sum()
    photo = scene.photo - scene.photo.mean((1, 2), keepdim=True)
    weight, own, squared = (
        torch.fft.rfft2(window(part), s=size).conj()
        for part in (places, places[:, None] * photo, places * photo.square().sum(0))
    )
    hole = torch.fft.rfft2(window(scene.hole.float()), s=size).conj()
    found: list[list[tuple[float, Shift]]] = [[] for _ in places]
    for shear in SHEARS:
        sheared = Shift(0, 0, shear, middle)(torch.cat((photo, scene.known[None]))[None])[0]
        known = (sheared[3] > KNOWN).float()
        copy = sheared[:3] * known
        k, c, c2 = (torch.fft.rfft2(part, s=size) for part in (known, copy, copy.square().sum(0)))
        seen = torch.fft.irfft2(weight * k, s=size)
        crossed = torch.einsum("pchw,chw->phw", own, c)
        misfit = torch.fft.irfft2(squared * k + weight * c2 - 2 * crossed, s=size)
        enough = (seen > LEAST_SEEN * sums) & (torch.fft.irfft2(hole * k, s=size) > LEAST_FILLED * covered)
        misfit = torch.where(enough, misfit / seen.clamp(min=1e-6), torch.inf)
        misfit[:, window.top, window.left] = torch.inf  # the photo laid over itself unshifted matches, and says nothing
        values, where = misfit.flatten(1).topk(4 * TRIED, largest=False)
        for place, v, w in zip(found, values.tolist(), where.tolist(), strict=True):
            for value, index in zip(v, w, strict=True):
                shift = Shift(*window.lag(index), shear, middle)
                place.append((value * scene.oddity(shift), shift))
    return list(dict.fromkeys(shift for place in found for shift in _distinct(place)))


@dataclass(frozen=True)
class _Window:
    """The part of a picture (height, width) that all of it is compared with, by Fourier transforms of `size`."""

    picture: tuple[int, int]
    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, mask: Tensor) -> "_Window":
        (top, left), (bottom, right) = mask.nonzero().amin(0).tolist(), mask.nonzero().amax(0).tolist()
        return cls((mask.shape[0], mask.shape[1]), top, left, bottom + 1, right + 1)

    def __call__(self, part: Tensor) -> Tensor:
        return part[..., self.top : self.bottom, self.left : self.right]

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.picture
        return next_fast_len(height + self.bottom - self.top), next_fast_len(width + self.right - self.left)

    def lag(self, index: int) -> tuple[int, int]:
        """By how many pixels (across, down) the picture was shifted at this place of the correlation."""
        (row, column), (height, width) = divmod(index, self.size[1]), self.picture
        down = row if row < height else row - self.size[0]
        across = column if column < width else column - self.size[1]
        return across - self.left, down - self.top


def _distinct(matches: Iterable[tuple[float, Shift]]) -> list[Shift]:
    """The best few shifts of which no two are next to each other."""
    picked: list[Shift] = []
    for value, shift in sorted(matches, key=lambda match: match[0]):
        if value == float("inf") or len(picked) == TRIED:
            break
        if all(abs(shift.dx - p.dx) + abs(shift.dy - p.dy) > 2 for p in picked):
            picked.append(shift)
    return picked


def polished(scene: Scene, shift: Shift, factor: int) -> Shift:
    """The shift that matches best around the hole among those that looked alike in a picture smaller by
    `factor`."""
    around = range(-(factor // 2), factor // 2 + 1)
    near = [replace(shift, dx=shift.dx + dx, dy=shift.dy + dy) for dy in around for dx in around]

    def apart(one: Shift) -> float:
        return float((unlike(one(scene.photo[None])[0], scene.photo) * scene.band).sum())

    return near[0] if len(near) == 1 else min(near, key=apart)


def unlike(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().sum(0).clamp(max=UNLIKE)
