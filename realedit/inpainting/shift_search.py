"""Which shifts lay a picture over itself so that it matches around a hole."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from realedit.inpainting.shift_map import KNOWN_SHARE, LARGEST_DIFFERENCE, HoleContext, Shift, sampled, sources

SHEAR_STEP, SHEAR_STEPS = 0.4, 5  # pixels sideways for each pixel down, to either side
LEAST_SEEN, LEAST_FILLED = 0.5, 0.3  # of the place that is compared, and of the hole: what a shift must show
SHIFTS_PER_PLACE = 8  # shifts for each place
SAMPLES_AT_ONCE = 300_000  # pixels of all shifts that are compared at a time
Reach = tuple[float, float, float, float]
SAMPLED_POINTS, STEP_HALVINGS = (
    250,
    3,
)  # pixels that are compared when a shift is sharpened, and how often its step is halved


def candidates(scene: HoleContext) -> list[Shift]:
    """The shifts that match best around each place, over all shears: found in whole pixels by Fourier
    transforms, then sharpened."""
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
    for step in range(-SHEAR_STEPS, SHEAR_STEPS + 1):
        shear = SHEAR_STEP * step
        sheared = Shift(0, 0, shear, middle)(torch.cat((photo, scene.known[None]))[None])[0]
        known = (sheared[3] > KNOWN_SHARE).float()
        copy = sheared[:3] * known
        k, c, c2 = (torch.fft.rfft2(part, s=size) for part in (known, copy, copy.square().sum(0)))
        seen = torch.fft.irfft2(weight * k, s=size)
        crossed = torch.einsum("pchw,chw->phw", own, c)
        misfit = torch.fft.irfft2(squared * k + weight * c2 - 2 * crossed, s=size)
        enough = (seen > LEAST_SEEN * sums) & (torch.fft.irfft2(hole * k, s=size) > LEAST_FILLED * covered)
        misfit = torch.where(enough, misfit / seen.clamp(min=1e-6), torch.inf)
        misfit[:, window.top, window.left] = torch.inf  # the photo laid over itself unshifted matches, and says nothing
        values, where = misfit.flatten(1).topk(4 * SHIFTS_PER_PLACE, largest=False)
        for place, v, w in zip(found, values.tolist(), where.tolist(), strict=True):
            for value, index in zip(v, w, strict=True):
                shift = Shift(*window.lag(index), shear, middle)
                place.append((value * scene.prior(shift), shift))
    reach = (0.5, 0.0, SHEAR_STEP / 2, 0.0)
    sharp = (refine_shifts(scene, place, _distinct(near), reach) for place, near in zip(places, found, strict=True))
    return list(dict.fromkeys(itertools.chain.from_iterable(sharp)))


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
        if value == float("inf") or len(picked) == SHIFTS_PER_PLACE:
            break
        if all(abs(shift.dx - p.dx) + abs(shift.dy - p.dy) > 2 for p in picked):
            picked.append(shift)
    return picked


def refine_shifts(scene: HoleContext, weights: Tensor, shifts: Sequence[Shift], reach: Reach) -> list[Shift]:
    """Each shift where it matches best nearby, as pixels of these `weights` (H, W) say: up to about `reach`
    away in (dx, dy, shear, deeper), by steps that are halved."""
    if not shifts:
        return []
    match = SampledPixels.of(scene, weights)
    best = torch.tensor([s.numbers for s in shifts])
    least = match.misfit(best)
    ways = [
        torch.tensor((*way, 0.0, 0.0))
        for way in itertools.product(*((-r, 0.0, r) if r else (0.0,) for r in reach))
        if any(way)
    ]
    for halving in range(STEP_HALVINGS):
        for way in (*ways, *ways):
            tried = best + way / 2**halving
            misfit = match.misfit(tried)
            better = misfit < least
            best, least = torch.where(better[:, None], tried, best), torch.where(better, misfit, least)
    found = zip(shifts, best.tolist(), strict=True)
    return [replace(s, dx=dx, dy=dy, shear=shear, depth_change=deeper) for s, (dx, dy, shear, deeper, _, _) in found]


@dataclass(frozen=True, eq=False)
class SampledPixels:
    """Some pixels of a scene at (x, y) (n), of these colours (3, n) and weights (n), to compare with
    shifted ones."""

    scene: HoleContext
    x: Tensor
    y: Tensor
    own: Tensor
    weights: Tensor

    @classmethod
    def of(cls, scene: HoleContext, weights: Tensor, points: int = SAMPLED_POINTS) -> "SampledPixels":
        where = (weights > 0.02 * weights.max()).nonzero()
        rows, columns = where[:: -(-len(where) // points)].T
        return cls(scene, columns + 0.5, rows + 0.5, scene.photo[:, rows, columns], weights[rows, columns])

    def misfit(self, shifts: Tensor, least: float = LEAST_SEEN) -> Tensor:
        """How ill shifts (m, 6) match (m); infinitely where they show less than the `least` share of the weights."""
        few = max(1, SAMPLES_AT_ONCE // len(self.weights))
        return torch.cat([self._misfit(part, least) for part in shifts.split(few)])

    def _misfit(self, shifts: Tensor, least: float) -> Tensor:
        """The same of so few shifts that their samples stay in a processor's cache."""
        x, y = sources(shifts[..., None], self.x, self.y)
        copy = sampled(self.scene.seen, x[None], y[None])[0]
        seen = self.weights * (copy[3] > KNOWN_SHARE)
        apart = (copy[:3] - self.own[:, None]).square().sum(0).clamp(max=LARGEST_DIFFERENCE)
        enough = seen.sum(1) > least * self.weights.sum()
        return torch.where(enough, (apart * seen).sum(1) / seen.sum(1).clamp(min=1e-6), torch.inf)
