"""New looks in pixels: colours by hand, edges by opacity, detail of the photo kept."""

import pytest
import torch

from realedit.appearance.detail_transfer import apply_colours, transfer_detail
from realedit.appearance.recolouring import recolour
from tests.test_paste_back import disc


def test_colours_take_on_the_mean_and_the_spread():
    generator = torch.Generator().manual_seed(0)
    picture = 0.3 + 0.05 * torch.randn(1, 3, 96, 128, generator=generator)
    colours = torch.tensor((0.7, 0.4, 0.5)) + 0.08 * torch.randn(500, 3, generator=generator)
    changed = recolour(picture, disc(), colours)
    inside = disc()[0, 0] > 0.5
    assert changed[0][:, inside].mean(1).tolist() == pytest.approx(colours.mean(0).tolist(), abs=0.01)
    assert changed[0][:, inside].std(1).tolist() == pytest.approx(colours.std(0).tolist(), rel=0.1)
    only = apply_colours(picture, disc(), picture, changed)
    assert torch.equal(only[0][:, ~inside], picture[0][:, ~inside])
    torch.testing.assert_close(only[0][:, inside], changed[0][:, inside])


def test_the_same_colours_change_nothing():
    picture = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    colours = picture[0][:, disc()[0, 0] > 0.5].T
    torch.testing.assert_close(recolour(picture, disc(), colours), picture, atol=1e-4, rtol=0)


def test_light_stays_light_and_dark_stays_dark():
    ramp = torch.linspace(0.2, 0.6, 128).expand(1, 3, 96, 128)
    colours = torch.stack((torch.linspace(0.1, 0.9, 50), torch.zeros(50), torch.zeros(50)), -1)
    row = recolour(ramp, disc(), colours)[0, 0, 50, 30:50]
    assert (row.diff() > 0).all()


def test_a_look_at_the_models_size_is_the_models_picture_inside():
    rough, generated = torch.full((1, 3, 96, 128), 0.5), torch.full((1, 3, 96, 128), 0.8)
    dressed = apply_colours(rough, disc(), rough, transfer_detail(rough, disc(), generated, rough))
    torch.testing.assert_close(dressed, rough + 0.3 * disc(), atol=1e-5, rtol=0)


def test_half_covered_pixels_change_half():
    rough, generated = torch.full((1, 3, 96, 128), 0.5), torch.full((1, 3, 96, 128), 0.9)
    opacity = disc() * 0.999 + disc(radius=14) * 0.0
    opacity[0, 0, 50, 53] = 0.5  # just outside the disc
    dressed = apply_colours(rough, opacity, rough, transfer_detail(rough, opacity, generated, rough))
    assert dressed[0, 0, 50, 53].item() == pytest.approx(0.7, abs=1e-3)


def test_nothing_of_the_old_look_is_left_along_an_edge():
    """A half-covered pixel of a white object on black that turns red is half red, whatever the model drew there."""
    opacity, white = disc(), torch.ones(1, 3, 96, 128)
    opacity[0, 0, 50, 53] = 0.5  # just outside the disc
    red = torch.tensor((0.9, 0.1, 0.0))[None, :, None, None].expand(1, 3, 96, 128)
    mixed = torch.where(opacity > 0.9, red, torch.tensor(0.3))  # at its edge the model is vague
    dressed = apply_colours(opacity * white, opacity, white, transfer_detail(white, opacity, mixed, white))
    assert dressed[0, :, 50, 53].tolist() == pytest.approx((0.45, 0.05, 0.0), abs=1e-3)


def test_detail_of_a_large_photo_is_kept():
    small = torch.full((1, 3, 48, 64), 0.5)
    stripes = 0.05 * (torch.arange(256) % 2 * 2.0 - 1)
    rough = torch.full((1, 3, 192, 256), 0.5) + stripes
    opacity = torch.ones(1, 1, 192, 256)
    dressed = transfer_detail(rough, opacity, small + 0.2, small)
    torch.testing.assert_close(dressed, rough + 0.2, atol=1e-4, rtol=0)
