"""Is a new look, a swap or a removal right? Judged against true renders alone."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.properties import centroid
from realedit.evaluation.metrics import PerceptualMetric, psnr, region_mean
from tests.benchmarks.edit_cases import EditCase
from tests.benchmarks.judge import AREA, DIFFERS, POSITION, nearer

OVERLAP = 0.85  # IoU of a restyled object with its true mask
LEFT = 0.01  # of a removed object's pixels: more are an object that is still there
SAME = 0.1  # root mean square colour difference up to which a pixel counts as unchanged
QUANTILES = torch.linspace(0.05, 0.95, 10)


@dataclass(frozen=True)
class EditVerdict:
    """One result against the truth. `right_look`: of all looks that might have been asked for, the asked
    one is nearest (None for edits of place). `overlap`: the object's IoU with its true mask, the mean
    over objects for a swap. `left`: the share of a removed object that is still there."""

    success: bool
    right_look: bool | None
    overlap: float
    left: float
    psnr_region: float
    perceptual_region: float
    identical: bool


def judge_edit(case: EditCase, result: Tensor, touched: Tensor | None, perceptual: PerceptualMetric) -> EditVerdict:
    """Judge a `result` (1, 3, H, W); `touched` (1, 1, H, W) is what the edit says it may have changed."""
    rest = 1 - (case.region if touched is None else touched)
    right, overlap, left = None, 1.0, 0.0
    if case.kind == "remove":
        left = still_there(case, result)
        success = left <= LEFT
    elif case.kind == "swap":
        errors = [moved(case, result, target) for target in case.targets]
        overlap = sum(1 - area for _, area in errors) / len(errors)
        success = all(position <= POSITION and area <= AREA for position, area in errors)
    else:
        right, overlap = nearest_look(case, result) == 0, kept_shape(case, result)
        success = right and overlap >= OVERLAP
    return EditVerdict(
        success=success,
        right_look=right,
        overlap=overlap,
        left=left,
        psnr_region=psnr(result, case.truth, case.region),
        perceptual_region=region_mean(perceptual.distance(result, case.truth), case.region),
        identical=bool(((result == case.before).all(1, keepdim=True) | (rest < 0.5)).all()),
    )


def nearest_look(case: EditCase, result: Tensor) -> int:
    """Which of the looks that might have been asked for the object has. For colours by its mean colour,
    for patterns and materials by the spread of its colours and by how they change across and down it."""
    mask = case.targets[0][0, 0] > 0.5
    describe = mean_colour if case.kind == "recolour" else texture
    own = describe(result, mask)
    return int(torch.stack([(describe(choice, mask) - own).norm() for choice in case.choices]).argmin())


def mean_colour(picture: Tensor, mask: Tensor) -> Tensor:
    return picture[0][:, mask].mean(1)


def texture(picture: Tensor, mask: Tensor) -> Tensor:
    """Quantiles of every channel, and the mean steps between neighbours across and down, within a mask."""
    quantiles = torch.quantile(picture[0][:, mask], QUANTILES, dim=1).flatten()
    across = (picture[0, :, :, 1:] - picture[0, :, :, :-1]).abs().mean(0)[mask[:, 1:] & mask[:, :-1]].mean()
    down = (picture[0, :, 1:] - picture[0, :, :-1]).abs().mean(0)[mask[1:] & mask[:-1]].mean()
    steps = torch.stack((across, down)) * len(quantiles) ** 0.5
    return torch.cat((quantiles, steps))


def kept_shape(case: EditCase, result: Tensor) -> float:
    """IoU of the true object with what is unlike the empty scene inside it or newly changed outside it.
    Pixels of the truth that are like the empty scene themselves say nothing."""
    true = (case.targets[0] > 0.5) & ((case.truth - case.without).abs().amax(1, keepdim=True) > DIFFERS)
    kept = true & ((result - case.without).abs().amax(1, keepdim=True) > DIFFERS / 2)
    spilt = (case.targets[0] < 0.5) & (distance(result, case.truth) > SAME)
    return float(kept.sum() / (true | spilt).sum())


def moved(case: EditCase, result: Tensor, target: Tensor) -> tuple[float, float]:
    """Position and area error of a swapped object. A photo does not say to the pixel where another object would
    stand; so the object is looked for up to `POSITION` around its true place, and is where most of it is found."""
    height, width = target.shape[-2:]
    reach = [range(-int(POSITION * n), int(POSITION * n) + 1) for n in (height, width)]
    shifts = [(dy, dx) for dy in reach[0] for dx in reach[1] if math.hypot(dy / height, dx / width) <= POSITION]
    found = {shift: _moved_by(case, result, target, shift) for shift in shifts}
    return min(found.values(), key=lambda errors: (errors[1], errors[0]))


def _moved_by(case: EditCase, result: Tensor, target: Tensor, shift: tuple[int, int]) -> tuple[float, float]:
    """The same if the true object were shifted by (down, right) pixels."""
    truth, expected = (picture.roll(shift, (-2, -1)) for picture in (case.truth, target > 0.5))
    expected = expected & ((truth - case.without).abs().amax(1, keepdim=True) > DIFFERS)
    found = expected & nearer(result, truth, case.without) & nearer(result, truth, case.before)
    if not found.any():
        return 2 * POSITION, 1.0
    off = torch.tensor((shift[1] / target.shape[-1], shift[0] / target.shape[-2]))
    offset = off + centroid(found[0, 0].float()) - centroid(expected[0, 0].float())
    return float(offset.norm()), 1 - float(found.sum() / expected.sum())


def still_there(case: EditCase, result: Tensor) -> float:
    """The share of a removed object's pixels that look as before, and not like what is behind it."""
    tellable = (case.sources[0] > 0.5) & ((case.before - case.without).abs().amax(1, keepdim=True) > 2 * SAME)
    if not tellable.any():
        return 0.0
    same = (distance(result, case.before) < SAME) & nearer(result, case.before, case.without)
    return float(same[tellable].float().mean())


def distance(one: Tensor, two: Tensor) -> Tensor:
    """Root mean square over the channels, (1, 1, H, W)."""
    return (one - two).square().mean(1, keepdim=True).sqrt()
