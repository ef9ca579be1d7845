"""The judge: known values, and regions that are averaged properly."""

import math

import lpips
import pytest
import torch
from torch import nn

from realedit.evaluation.metrics import (
    PerceptualMetric,
    compare_images,
    encoder_distance,
    lpips_distance,
    psnr,
    region_mean,
    ssim_map,
)

NOTHING = PerceptualMetric("none", lambda a, b: torch.zeros_like(a[:, :1]))


def photos(height=48, width=64):
    before = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)) * 0.8
    return before, before + 0.1


def left(share: float, height=48, width=64):
    mask = torch.zeros(1, 1, height, width)
    mask[..., : int(share * width)] = 1
    return mask


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_difference_of_a_tenth_is_20_db_whatever_the_area(share):
    assert psnr(*photos(), left(share)) == pytest.approx(20, abs=1e-3)


def test_what_lies_outside_the_region_does_not_count():
    before, after = photos()
    after = torch.where(left(0.5) > 0.5, before, after)
    assert psnr(before, after, left(0.5)) == math.inf
    report = compare_images(before, after, left(0.5), NOTHING)
    assert report.identical
    assert not compare_images(before, after, left(0.6), NOTHING).identical


def test_empty_region_is_not_a_number():
    assert math.isnan(region_mean(torch.ones(1, 1, 4, 6), torch.zeros(1, 1, 4, 6)))
    assert math.isnan(psnr(*photos(), torch.zeros(1, 1, 48, 64)))


def test_ssim_of_equal_photos_is_one():
    before, after = photos()
    torch.testing.assert_close(ssim_map(before, before), torch.ones_like(before))
    assert ssim_map(before, 1 - after).mean() < 0.5


def test_different_sizes_are_a_mistake():
    with pytest.raises(ValueError, match="equal sizes"):
        compare_images(photos()[0], photos(40)[0], left(1.0), NOTHING)


def test_encoder_distance_by_hand():
    """One layer that copies the photo: unit vectors along red and green differ by 2."""
    distance = encoder_distance(lambda photo: [photo], "note").distance
    red, green = torch.zeros(1, 3, 4, 6), torch.zeros(1, 3, 4, 6)
    red[:, 0], green[:, 1] = 0.5, 0.9
    torch.testing.assert_close(distance(red, green), torch.full((1, 1, 4, 6), 2.0))
    torch.testing.assert_close(distance(red, 0.3 * red), torch.zeros(1, 1, 4, 6), atol=1e-6, rtol=0)


def test_the_models_own_distance_grows_with_the_change(model):
    perceptual = encoder_distance(model.encoder_features, "note")
    assert perceptual.name == "vae_feature_distance"
    before = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(before.shape, generator=torch.Generator().manual_seed(1))
    values = [perceptual.distance(before, (before + s * noise).clamp(0, 1)).mean().item() for s in (0, 0.05, 0.2)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[1] > 0


@pytest.fixture
def random_trunk(tmp_path, monkeypatch):
    """LPIPS with its real linear heads on a random trunk, which lies where a downloaded one would."""
    from torchvision import models

    torch.manual_seed(0)
    trunk = models.alexnet(weights=None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    name = models.AlexNet_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[-1]
    torch.save(trunk.state_dict(), tmp_path / "hub" / "checkpoints" / name)
    return trunk.eval()


def independent_lpips(trunk, before, after) -> torch.Tensor:
    """LPIPS written from its definition: unit features, squared difference, non-negative heads."""
    heads = torch.load(f"{lpips.__path__[0]}/weights/v0.1/alex.pth", weights_only=True, map_location="cpu")
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    one, two, total, head = (before * 2 - 1 - shift) / scale, (after * 2 - 1 - shift) / scale, 0.0, 0
    for layer in trunk.features:
        one, two = layer(one), layer(two)
        if isinstance(layer, nn.ReLU):
            unit = [x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10) for x in (one, two)]
            each = ((unit[0] - unit[1]) ** 2 * heads[f"lin{head}.model.1.weight"]).sum(1, keepdim=True)
            total = total + nn.functional.interpolate(each, size=before.shape[-2:], mode="bilinear")
            head += 1
    return total


def test_lpips_is_the_published_one_with_inputs_in_its_own_range(random_trunk):
    perceptual = lpips_distance(torch.device("cpu"))
    assert perceptual.name == "lpips"
    before, after = photos(64, 96)
    found = perceptual.distance(before, after)
    assert found.shape == (1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(found, independent_lpips(random_trunk, before, after), atol=1e-6, rtol=1e-4)
    assert perceptual.distance(before, before).abs().max() == 0


def test_without_weights_the_report_says_so_under_another_name(model, monkeypatch):
    from realedit.evaluation import perceptual

    def no_network(device):
        raise OSError("no route to host")

    monkeypatch.setattr(perceptual, "lpips_distance", no_network)
    found = perceptual.perceptual_metric(model)
    assert found.name == "vae_feature_distance"
    assert "LPIPS could not be computed" in found.note
    assert "OSError" in found.note
