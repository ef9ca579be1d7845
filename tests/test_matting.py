"""An object comes off its background with the edge it really has."""

import pytest
import torch
from torch.nn import functional as F

from realedit.compositing.matting import estimate_matte


def smooth_disc(blur: int = 5) -> torch.Tensor:
    """A disc whose edge is mixed with what lies behind it, as a lens does."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    hard = ((x - 60).square() + (y - 50).square() < 20**2).float()[None, None]
    return F.avg_pool2d(F.pad(hard, (blur // 2,) * 4), blur, stride=1)


RED = torch.tensor((0.8, 0.1, 0.1))[None, :, None, None]
GREEN = torch.tensor((0.1, 0.5, 0.2))[None, :, None, None]


def test_opacity_is_the_share_of_the_object_in_every_edge_pixel():
    true = smooth_disc(3)
    photo = true * RED + (1 - true) * GREEN
    colour, alpha = estimate_matte(photo, (true > 0.5).float())
    torch.testing.assert_close(alpha, true, atol=0.02, rtol=0)
    torch.testing.assert_close((colour * alpha), RED * true, atol=0.02, rtol=0)


def test_on_another_background_nothing_of_the_old_one_is_left():
    true = smooth_disc(3)
    photo = true * RED + (1 - true) * GREEN
    colour, alpha = estimate_matte(photo, (true > 0.5).float())
    white = colour * alpha + (1 - alpha)
    torch.testing.assert_close(white, true * RED + (1 - true), atol=0.02, rtol=0)


def test_where_object_and_background_are_alike_the_mask_decides():
    photo = torch.full((1, 3, 96, 128), 0.5)
    mask = (smooth_disc() > 0.5).float()
    _, alpha = estimate_matte(photo, mask)
    assert ((alpha > 0.5) == (mask > 0.5)).all()


@pytest.mark.parametrize("side", [1, 2, 3])
def test_the_smallest_objects_stay(side):
    mask = torch.zeros(1, 1, 40, 56)
    mask[..., 20 : 20 + side, 30 : 30 + side] = 1
    photo = torch.where(mask > 0.5, RED, GREEN)
    _, alpha = estimate_matte(photo, mask)
    assert alpha[mask > 0.5].min() > 0.9
    assert alpha.isfinite().all()


def test_far_from_the_mask_all_is_background():
    true = smooth_disc(3)
    photo = true * RED + (1 - true) * GREEN
    photo[..., 5:9, 5:9] = 1.0
    _, alpha = estimate_matte(photo, (true > 0.5).float())
    assert alpha[..., :20, :30].sum() == 0
