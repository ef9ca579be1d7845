"""How faithful is a result to its photo? The judge: it knows pictures and a region, not the edit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

SSIM_WINDOW = 11  # pixels; Gaussian, as in Wang et al. 2004
PerceptualMap = Callable[[Tensor, Tensor], Tensor]
"""Two photos (1, 3, H, W) in [0, 1] -> distance map (1, 1, H, W), 0 where equal."""


@dataclass(frozen=True)
class PerceptualMetric:
    """A perceptual distance and its name. Only AlexNet LPIPS is ever called "lpips"."""

    name: str
    distance: PerceptualMap
    note: str | None = None


FindMetric = Callable[[], PerceptualMetric]
"""Gives a metric that may have to be fetched or loaded, when it is needed."""


@dataclass(frozen=True)
class ImageComparison:
    """Before against after, averaged over the pixels outside the region that was allowed to change.

    `psnr_db` is infinite and `identical` true where every pixel there is the same.
    `perceptual_name` says which distance `perceptual` is, None where nothing had to be measured, and `perceptual_note`
    why it is no other. NaN where no pixel lies outside.
    """

    psnr_db: float
    ssim: float
    perceptual: float
    perceptual_name: str | None
    identical: bool
    perceptual_note: str | None = None

    def as_dict(self) -> dict[str, object]:
        """As values that JSON can hold, which has no infinity and no NaN: null, and a note that says what it stands
        for."""
        values = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in vars(self).items()}
        if math.isinf(self.psnr_db):
            values["psnr_note"] = "infinite: no pixel that is compared differs"
        elif math.isnan(self.psnr_db):
            values["psnr_note"] = "not defined: there is no pixel to compare"
        return values


def compare_images(before: Tensor, after: Tensor, outside: Tensor, perceptual: PerceptualMetric) -> ImageComparison:
    """Compare two photos (1, 3, H, W) in [0, 1] over the pixels where `outside` (1, 1, H, W) is 1."""
    if before.shape != after.shape or outside.shape[-2:] != before.shape[-2:]:
        raise ValueError(f"expected equal sizes, got {before.shape}, {after.shape} and {outside.shape}")
    return ImageComparison(
        psnr_db=psnr(before, after, outside),
        ssim=region_mean(ssim_map(before, after), outside),
        perceptual=region_mean(perceptual.distance(before, after), outside),
        perceptual_name=perceptual.name,
        perceptual_note=perceptual.note,
        identical=bool(((before == after).all(1, keepdim=True) | (outside < 0.5)).all()),
    )


def region_mean(values: Tensor, region: Tensor) -> float:
    """The mean of a map over a region's pixels; NaN for an empty region. Never a product over the
    whole frame, which would dilute every number by the region's area."""
    inside = region.expand_as(values) > 0.5
    return float(values[inside].mean()) if inside.any() else math.nan


def psnr(before: Tensor, after: Tensor, region: Tensor) -> float:
    """Peak signal-to-noise ratio in dB over a region, for values in [0, 1]."""
    error = region_mean((before - after).square(), region)
    return math.inf if error == 0 else -10 * math.log10(error) if not math.isnan(error) else math.nan


def ssim_map(before: Tensor, after: Tensor) -> Tensor:
    """Structural similarity (1, 3, H, W), 1 where equal."""
    from kornia.metrics import ssim

    return ssim(before, after, SSIM_WINDOW)


def lpips_distance(device: torch.device) -> PerceptualMetric:
    """LPIPS with AlexNet (Zhang et al. 2018), as a map.

    Raises:
        OSError: the trunk's weights are not on this machine and cannot be fetched.
    """
    import warnings

    from lpips import LPIPS
    from torchvision.models import AlexNet_Weights

    if not alexnet_is_here():  # else a whole network would be built before its weights are missed
        AlexNet_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    with warnings.catch_warnings():  # the package calls torchvision by a deprecated argument
        warnings.simplefilter("ignore")
        network = LPIPS(net="alex", spatial=True, verbose=False).eval().requires_grad_(False).to(device)

    @torch.no_grad()
    def distance(before: Tensor, after: Tensor) -> Tensor:
        return network(before.to(device) * 2 - 1, after.to(device) * 2 - 1).cpu()

    return PerceptualMetric("lpips", distance)


def alexnet_is_here() -> bool:
    """Whether LPIPS needs no network."""
    from torchvision.models import AlexNet_Weights

    name = PurePosixPath(AlexNet_Weights.IMAGENET1K_V1.url).name
    return (Path(torch.hub.get_dir()) / "checkpoints" / name).is_file()


def encoder_distance(encoder: Callable[[Tensor], list[Tensor]], note: str) -> PerceptualMetric:
    """A distance built as LPIPS is, but in other features and without learned weights.

    At every layer features are scaled to unit length per pixel; the map is the mean over layers of
    their squared difference. `encoder` gives a photo's layers, each (1, C, h, w)."""

    @torch.no_grad()
    def distance(before: Tensor, after: Tensor) -> Tensor:
        maps = []
        for one, two in zip(encoder(before), encoder(after), strict=True):
            difference = _unit(one.float()) - _unit(two.float())
            each = difference.square().sum(1, keepdim=True).cpu()
            maps.append(torch.nn.functional.interpolate(each, size=before.shape[-2:], mode="bilinear"))
        return torch.stack(maps).mean(0)

    return PerceptualMetric("vae_feature_distance", distance, note)


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
