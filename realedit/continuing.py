"""Continue a picture into a hole with what repeats around it: boards, tiles, stripes, a horizon.

The picture is laid over itself, shifted so that it matches around the hole, and seen through it (He and
Sun 2012). On a floor or a table in perspective, patterns do not repeat at one distance: rows nearer to the
viewer are shifted farther, which is a shear along with the shift.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.filling import fill
from realedit.paste import depth, grow

SHEARS = tuple(n / 10 for n in range(-10, 11))  # pixels sideways for each pixel down
# Of the shorter side: how far around the hole pictures are compared, over what width a shift must match to be
# tried, how far such a match speaks for the hole beside it, and how fast that fades away from the hole.
BAND, LOCAL, SPEAKS, FADES = 0.25, 0.16, 0.12, 0.08
RIM = 0.015  # of the shorter side: what masks of other objects miss
LEAST_SEEN, LEAST_FILLED = 0.5, 0.3  # of the place that is compared, and of the hole: what a shift must show
MOST_PLACES, TRIED = 16, 4  # places that are compared, and shifts tried for each
UNLIKE = 0.1  # squared difference of colours from which two pixels have nothing in common
MOST_USED, EARNED = 4, 0.02  # shifts used at most, and the share of the misfit that each must save
PLAIN = 0.5  # by how much a shear of 1 counts as a worse match
LEVEL = 3.0  # the same of a shift up or down by the shorter side: horizons, shelves and tables' edges are level
HINT, HINT_WIDTH = 1.0, 0.05  # what a guide's misfit weighs; the width over which it is averaged
NOTHING = (1 + HINT) * UNLIKE  # the misfit where there is nothing to copy
KNOWN = 0.999
SEARCHED = 160  # pixels of the shorter side up to which shifts are looked for at full size


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


def continued(photo: Tensor, hole: Tensor, others: Tensor, guide: Tensor | None = None) -> Tensor:
    """The photo (1, 3, H, W) with the `hole` (1, 1, H, W) filled by shifted copies of its surroundings, and
    by waves where none reaches.

    Nothing is copied from the `others` (1, 1, H, W). Of the shifts that match around the hole, those are
    taken that are also like the `guide` (1, 3, H, W) in it: a rough idea of what is there, if there is one."""
    rough = fill(photo, torch.maximum(hole, others)) if guide is None else guide
    rough = torch.where(hole > 0.5, rough, photo)
    scene = _Scene.of(photo, hole, others)
    if scene is None:
        return rough
    factor = -(-scene.side // SEARCHED)
    shifts = _useful(photo, hole, others, guide, factor)
    copies = [_Copy.of(scene, _polished(scene, shift.times(factor), factor), guide) for shift in shifts]
    return _joined(rough, scene, copies) if copies else rough


def _useful(photo: Tensor, hole: Tensor, others: Tensor, guide: Tensor | None, factor: int) -> list[Shift]:
    """The few shifts that fill the hole best, looked for in pictures that are smaller by `factor`."""

    def smaller(picture: Tensor) -> Tensor:
        return F.avg_pool2d(picture, factor, ceil_mode=True)

    hint = None if guide is None else smaller(guide)
    scene = _Scene.of(smaller(photo), (smaller(hole) > 0).float(), smaller(others))
    tried = [] if scene is None else [(shift, _Copy.of(scene, shift, hint)) for shift in _candidates(scene)]
    if scene is None or not tried:
        return []
    return [tried[k][0] for k in _chosen(torch.stack([copy.misfit[scene.hole] for _, copy in tried]))]


def _polished(scene: "_Scene", shift: Shift, factor: int) -> Shift:
    """The shift that matches best among those that looked alike in a picture smaller by `factor`."""
    around = range(-(factor // 2), factor // 2 + 1)
    near = [replace(shift, dx=shift.dx + dx, dy=shift.dy + dy) for dy in around for dx in around]
    return near[0] if len(near) == 1 else min(near, key=lambda one: _Copy.of(scene, one, None).apart(scene))


@dataclass(frozen=True, eq=False)
class _Scene:
    """A photo (3, H, W) with its `hole` (H, W), where it is `known` (H, W), and the `band` (H, W) of known
    pixels around the hole, weighted by nearness."""

    photo: Tensor
    hole: Tensor
    known: Tensor
    band: Tensor

    @classmethod
    def of(cls, photo: Tensor, hole: Tensor, others: Tensor) -> "_Scene | None":
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


def _candidates(scene: _Scene) -> list[Shift]:
    """The shifts that match best around each place, over all shears; whole pixels, compared by Fourier
    transforms at once."""
    height, width = scene.hole.shape
    size = (2 * height, 2 * width)
    places = scene.places()
    photo = scene.photo - scene.photo.mean((1, 2), keepdim=True)
    weight, own, squared = (
        torch.fft.rfft2(part, s=size).conj()
        for part in (places, places[:, None] * photo, places * photo.square().sum(0))
    )
    hole = torch.fft.rfft2(scene.hole.float(), s=size).conj()
    found: list[list[tuple[float, Shift]]] = [[] for _ in places]
    for shear in SHEARS:
        sheared = Shift(0, 0, shear, scene.middle)(torch.cat((photo, scene.known[None]))[None])[0]
        known = (sheared[3] > KNOWN).float()
        copy = sheared[:3] * known
        k, c, c2 = (torch.fft.rfft2(part, s=size) for part in (known, copy, copy.square().sum(0)))
        seen = torch.fft.irfft2(weight * k, s=size)
        misfit = torch.fft.irfft2(squared * k + weight * c2 - 2 * (own * c).sum(1), s=size)
        enough = seen > LEAST_SEEN * places.sum((1, 2))[:, None, None]
        enough &= torch.fft.irfft2(hole * k, s=size) > LEAST_FILLED * scene.hole.sum()
        misfit = torch.where(enough, misfit / seen.clamp(min=1e-6), torch.inf)
        misfit[:, 0, 0] = torch.inf  # the photo laid over itself unshifted matches, and says nothing
        values, where = misfit.flatten(1).topk(4 * TRIED, largest=False)
        for place, v, w in zip(found, values.tolist(), where.tolist(), strict=True):
            for value, index in zip(v, w, strict=True):
                dy, dx = (
                    (n + half) % (2 * half) - half
                    for n, half in zip(divmod(index, size[1]), (height, width), strict=True)
                )
                shift = Shift(dx, dy, shear, scene.middle)
                place.append((value * scene.oddity(shift), shift))
    return list(dict.fromkeys(shift for place in found for shift in _distinct(place)))


def _distinct(matches: Iterable[tuple[float, Shift]]) -> list[Shift]:
    """The best few shifts of which no two are next to each other."""
    picked: list[Shift] = []
    for value, shift in sorted(matches, key=lambda match: match[0]):
        if value == float("inf") or len(picked) == TRIED:
            break
        if all(abs(shift.dx - p.dx) + abs(shift.dy - p.dy) > 2 for p in picked):
            picked.append(shift)
    return picked


@dataclass(frozen=True, eq=False)
class _Copy:
    """A shifted photo (3, H, W), and how ill it fits each pixel (H, W), as its surroundings and the guide say."""

    photo: Tensor
    misfit: Tensor

    @classmethod
    def of(cls, scene: _Scene, shift: Shift, guide: Tensor | None) -> "_Copy":
        shifted = shift(torch.cat((scene.photo, scene.known[None]))[None])[0]
        known = (shifted[3] > KNOWN).float()
        around = _averaged(_unlike(shifted[:3], scene.photo), scene.band * known, SPEAKS * scene.side)
        misfit = around * scene.oddity(shift)
        if guide is not None:
            unlike = _unlike(shifted[:3], guide[0])
            misfit = misfit + HINT * _averaged(unlike, scene.hole * known, HINT_WIDTH * scene.side)
        return cls(shifted[:3], torch.where(known > 0, misfit, NOTHING))

    def apart(self, scene: _Scene) -> float:
        """How unlike the photo it is around the hole."""
        return float((_unlike(self.photo, scene.photo) * scene.band).sum())


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().sum(0).clamp(max=UNLIKE)


def _averaged(values: Tensor, weights: Tensor, width: float) -> Tensor:
    """Values (H, W) averaged around each pixel with these weights (H, W), over a Gaussian of `width` pixels."""
    total = _blurred(weights, width)
    return torch.where(total > 1e-6, _blurred(values * weights, width) / total.clamp(min=1e-6), UNLIKE)


def _blurred(image: Tensor, width: float) -> Tensor:
    return torch.from_numpy(cv2.GaussianBlur(image.numpy(), (0, 0), width, borderType=cv2.BORDER_CONSTANT))


def _chosen(misfits: Tensor) -> list[int]:
    """Which of the copies, by their misfits (n, pixels) in the hole, to use: each pixel takes the one that
    fits it best of them, and each is worth it."""
    used: list[int] = []
    now = torch.full(misfits.shape[1:], NOTHING)
    while len(used) < MOST_USED:
        totals = torch.minimum(misfits, now).sum(1)
        best = int(totals.argmin())
        if used and totals[best] > (1 - EARNED) * now.sum():
            break
        used.append(best)
        now = torch.minimum(now, misfits[best])
    return used


def _joined(rough: Tensor, scene: _Scene, copies: Sequence[_Copy]) -> Tensor:
    """The copies, each where it fits best, with soft seams between them; what was `rough` where none reaches."""
    best = torch.stack([copy.misfit for copy in copies]).argmin(0)
    reaches = [scene.hole & (copy.misfit < NOTHING) for copy in copies]
    shares = [_blurred((scene.hole & (best == k)).float(), 1.0) * reach for k, reach in enumerate(reaches)]
    total = torch.stack(shares).sum(0)
    mixed = torch.stack([share * copy.photo for share, copy in zip(shares, copies, strict=True)]).sum(0)
    return torch.where(total > 1e-6, mixed / total.clamp(min=1e-6), rough[0])[None].clamp(0, 1)
