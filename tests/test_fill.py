"""Holes filled without a model."""

import numpy as np
import pytest
import torch

from realedit.editing.filling import fill_marked
from realedit.images import gaussian_blur
from realedit.inpainting.fill import fill_rows, fill_smoothly
from realedit.inpainting.filler import PhotoFill
from realedit.sampling.session import Session
from realedit.settings import Settings
from tests.plain_scene import COLUMNS, DISC, ROWS, scene


def hole_at(left: int, top: int, side: int, height: int = 96, width: int = 128) -> torch.Tensor:
    hole = torch.zeros(1, 1, height, width)
    hole[..., top : top + side, left : left + side] = 1
    return hole


def test_a_ramp_goes_on_and_the_rest_is_untouched():
    ramp = torch.linspace(0, 1, 128).expand(1, 3, 96, 128).clone()
    hole = hole_at(50, 40, 16)
    filled = fill_smoothly(torch.where(hole > 0.5, torch.ones_like(ramp), ramp), hole)
    assert (filled - ramp).abs().max() < 0.01
    outside = hole.expand_as(ramp) < 0.5
    assert (filled - ramp)[outside].abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("filler", [fill_smoothly, fill_rows])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_to_fill_or_nothing_to_fill_from(filler, value):
    photo = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    filled = filler(photo, torch.full((1, 1, 64, 80), value))
    assert filled.shape == photo.shape
    assert filled.isfinite().all()
    if value == 0:
        assert torch.equal(filled, photo)


def test_the_colour_of_what_is_gone_does_not_leak_into_the_smooth_fill():
    photo = torch.full((1, 3, 256, 256), 0.4)
    hole = hole_at(101, 99, 50, 256, 256)
    photo = torch.where(hole > 0.5, torch.tensor((1.0, 0.0, 0.0))[None, :, None, None], photo)
    torch.testing.assert_close(fill_smoothly(photo, hole), torch.full_like(photo, 0.4), atol=0.01, rtol=0)


def test_a_horizon_goes_on_to_the_frame_in_its_own_row():
    photo = torch.full((1, 3, 96, 128), 0.8)
    photo[..., 51:, :] = 0.2
    hole = hole_at(88, 30, 40)
    filled = fill_rows(torch.where(hole > 0.5, torch.ones_like(photo), photo), hole)
    inside = hole.expand_as(photo) > 0.5
    steep = torch.zeros_like(photo)
    steep[..., 48:54, :] = 1  # rows are mixed with their neighbours
    torch.testing.assert_close(filled[inside & (steep < 1)], photo[inside & (steep < 1)], atol=0.02, rtol=0)
    assert torch.equal(filled[~inside], photo[~inside])


def test_rows_of_which_nothing_is_seen_are_like_all_others():
    photo = torch.full((1, 3, 96, 128), 0.3)
    hole = torch.zeros(1, 1, 96, 128)
    hole[..., 20:70, :] = 1
    filled = fill_rows(torch.where(hole > 0.5, torch.zeros_like(photo), photo), hole)
    torch.testing.assert_close(filled, photo, atol=1e-3, rtol=0)


def test_a_blurred_point_is_as_wide_as_said_each_way():
    point = torch.zeros(101, 141)
    point[50, 70] = 1
    spread = gaussian_blur(point, 9.0, 3.0)
    y, x = torch.meshgrid(torch.arange(101) - 50.0, torch.arange(141) - 70.0, indexing="ij")
    assert abs(float((spread * x.square()).sum().sqrt()) - 9) < 0.1
    assert abs(float((spread * y.square()).sum().sqrt()) - 3) < 0.1


def test_what_a_mark_left_of_a_thing_does_not_stain_what_fills_it(tabletop):
    """The disc's rim of two pixels stays: it may neither give its blue to the hole nor be copied."""
    photo = scene()
    inner = (COLUMNS - 40) ** 2 + (ROWS - 50) ** 2 < 12**2
    mask = torch.from_numpy(inner).float()[None, None]
    filled = fill_marked(Session(tabletop, Settings()), photo, "a floor", mask, PhotoFill())
    before, after = photo.rgb, filled.rgb
    assert (after[~inner] == before[~inner]).all()
    ground = before[~DISC].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(after[inner].mean(0), ground, atol=4)
