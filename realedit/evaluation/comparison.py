"""Two photos compared: how faithful the one is to the other, where it was to stay as it is."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from inversion.loading import load_model
from realedit.evaluation.metrics import FindMetric, ImageComparison, PerceptualMetric, compare_images
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.images import at_most, resize

COMPARED_SIDE = 1024  # pixels of the longer side: larger photos are compared at this size


def compare(
    before: Photo,
    after: Photo,
    editable: Tensor | None = None,
    perceptual: PerceptualMetric | FindMetric | None = None,
) -> ImageComparison:
    """Compare two photos of one size but where `editable` (1, 1, H, W) is 1; None: everywhere.

    Whether they are identical is told by every pixel of the files, all else (PSNR in dB, SSIM, the perceptual distance)
    in sRGB and, if they are large, at a smaller size; what changed where it may is taken back for that. `perceptual`,
    or what gives it where something is to be measured; None: LPIPS, or if its weights cannot be had, what stands for it
    with the bundled model.

    Raises:
        ValueError: the sizes differ.
    """
    if before.size != after.size:
        raise ValueError(f"expected two photos of one size, got {before.size} and {after.size}")
    if editable is None:
        editable = torch.zeros(1, 1, *before.size[::-1])
    alike = before.rgb.dtype == after.rgb.dtype and before.profile == after.profile
    same = (before.rgb == after.rgb).all(-1) | (editable[0, 0].numpy() > 0.5)
    if alike and same.all() and editable.min() < 0.5:
        name = perceptual.name if isinstance(perceptual, PerceptualMetric) else None
        return ImageComparison(math.inf, 1.0, 0.0, name, identical=True)
    find = perceptual or (lambda: perceptual_metric(load_model()))
    metric = find if isinstance(find, PerceptualMetric) else find()
    size = at_most(before.size, COMPARED_SIDE)
    kept = (resize(1 - editable, size) >= 1).float()
    one, two = before.small(size), after.small(size)
    return replace(compare_images(one, torch.where(kept > 0.5, two, one), kept, metric), identical=False)
