"""Is an edit right? Judged against the true render alone: this file knows no model and no sampler."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.properties import centroid
from realedit.evaluation.metrics import PerceptualMetric, psnr, region_mean, ssim_map
from tests.benchmarks.cases import Case

FEWEST = 0.02  # of the object's pixels: fewer vacated ones are its edge seen from elsewhere, and say nothing
DIFFERS = 0.08  # of the range: where two true pictures are this far apart, a pixel can be told
POSITION, AREA, GHOST = 0.03, 0.2, 0.1  # what a successful edit may miss by
MARGIN = 0.1  # above the perceptual distance at which the object's own pixels, set in place, sit


@dataclass(frozen=True)
class Verdict:
    """One result against the truth.

    `position_error` in fractions of the frame, `area_error` and `ghost` shares (`ghost` is NaN where
    next to nothing was vacated), `object_distance` the perceptual distance of the object at its target minus
    that of the photo's own object, aligned. `identical`: every pixel that the edit does not call
    touched is the photo's own.
    """

    position_error: float
    area_error: float
    ghost: float
    object_distance: float
    psnr_region: float
    ssim_region: float
    perceptual_region: float
    psnr_rest: float
    identical: bool

    @property
    def success(self) -> bool:
        return (
            self.position_error <= POSITION
            and self.area_error <= AREA
            and not self.ghost > GHOST
            and self.object_distance <= MARGIN
        )


def judge(case: Case, result: Tensor, touched: Tensor | None, perceptual: PerceptualMetric) -> Verdict:
    """Judge a `result` (1, 3, H, W); `touched` (1, 1, H, W) is what the edit says it may have changed,
    None if it says nothing: then that is the true region."""
    rest = 1 - (case.region if touched is None else touched)
    position_error, area_error = placed(case, result)
    return Verdict(
        position_error=position_error,
        area_error=area_error,
        ghost=ghost(case, result),
        object_distance=object_distance(case, result, perceptual),
        psnr_region=psnr(result, case.truth, case.region),
        ssim_region=region_mean(ssim_map(result, case.truth), case.region),
        perceptual_region=region_mean(perceptual.distance(result, case.truth), case.region),
        psnr_rest=psnr(result, case.before, 1 - case.region),
        identical=bool((((result == case.before).all(1, keepdim=True)) | (rest < 0.5)).all()),
    )


def placed(case: Case, result: Tensor) -> tuple[float, float]:
    """Position and area error: a pixel belongs to the object if it is nearer to the true render than
    to the render without the object. An object that is nowhere to be found has not moved at all."""
    expected = (case.target > 0.5) & ((case.truth - case.without).abs().amax(1, keepdim=True) > DIFFERS)
    found = expected & nearer(result, case.truth, case.without)
    if not found.any():
        return max(case.shift, POSITION * 2), 1.0
    offset = centroid(found[0, 0].float()) - centroid(expected[0, 0].float())
    return float(offset.norm()), 1 - float(found.sum() / expected.sum())


def ghost(case: Case, result: Tensor) -> float:
    """The share of the vacated pixels that are nearer to the photo before than to the empty scene, and than
    to the truth, where the object's new shadow may lie on it; NaN where next to nothing was vacated."""
    right = (case.without, case.truth)
    vacated = case.vacated > 0.5
    for picture in right:
        vacated = vacated & ((case.before - picture).abs().amax(1, keepdim=True) > DIFFERS)
    if vacated.sum() <= FEWEST * case.source.sum():
        return math.nan
    left = torch.stack([nearer(result, case.before, picture) for picture in right]).all(0)
    return float(left[vacated].float().mean())


def nearer(result: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Per pixel (1, 1, H, W): whether `result` is nearer to `one` than to `other`."""
    return (result - one).square().sum(1, keepdim=True) < (result - other).square().sum(1, keepdim=True)


def object_distance(case: Case, result: Tensor, perceptual: PerceptualMetric) -> float:
    """How much farther from the true object the result's is than the photo's own, set in place: the
    crop around the true object, on the true background."""
    top, bottom, left, right = window(case.target)
    truth = case.truth[..., top:bottom, left:right]
    mask = case.target[..., top:bottom, left:right]
    rows, columns = torch.meshgrid(torch.arange(top, bottom), torch.arange(left, right), indexing="ij")
    aligned = torch.where(mask > 0.5, own_pixels(case, rows, columns), truth)
    crop = torch.where(mask > 0.5, result[..., top:bottom, left:right], truth)
    level = region_mean(perceptual.distance(aligned, truth), mask)
    return region_mean(perceptual.distance(crop, truth), mask) - level


def window(mask: Tensor, multiple: int = 8) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the box around a mask, in whole cells, a cell wider each way."""
    height, width = mask.shape[-2:]
    ys, xs = (mask[0, 0] > 0.5).nonzero().T
    low = [max(0, int(v.min()) // multiple - 1) * multiple for v in (ys, xs)]
    high = [(int(v.max()) // multiple + 2) * multiple for v in (ys, xs)]
    return low[0], min(height, high[0]), low[1], min(width, high[1])


def own_pixels(case: Case, rows: Tensor, columns: Tensor) -> Tensor:
    """The photo's object sampled where the true one's pixels are, by matching centres and areas."""
    height, width = case.before.shape[-2:]
    scale = float(case.source.sum() / case.target.sum()) ** 0.5
    size = torch.tensor((width, height))
    source, target = (centroid(m[0, 0]) * size for m in (case.source, case.target))
    x = (columns + 0.5 - target[0]) * scale + source[0]
    y = (rows + 0.5 - target[1]) * scale + source[1]
    grid = torch.stack((x * 2 / width - 1, y * 2 / height - 1), -1)[None].float()
    return torch.nn.functional.grid_sample(case.before, grid, padding_mode="border", align_corners=False)
