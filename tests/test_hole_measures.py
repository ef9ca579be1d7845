"""Detail and seam of a filled hole: by hand, and told from both sides."""

import math

import pytest
import torch
from torch import Tensor

from realedit.evaluation.hole_measures import QUIET, detail, seam
from realedit.images import gaussian_blur

HEIGHT, WIDTH = 72, 96


@pytest.fixture(scope="module")
def hole() -> Tensor:
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., 20:50, 30:70] = 1
    return mask


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """Grain on a slope, as a wall or a lawn have it."""
    grain = 0.1 * torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    return (0.5 + grain + torch.linspace(-0.1, 0.1, WIDTH)).clamp(0, 1)


def filled(photo: Tensor, hole: Tensor, inside: Tensor) -> Tensor:
    return torch.where(hole > 0.5, inside, photo)


def test_an_untouched_photo_is_near_one(photo, hole):
    assert detail(photo, hole) == pytest.approx(1, abs=0.15)
    assert seam(photo, hole) == pytest.approx(1, abs=0.15)


def test_a_flat_photo_is_one_and_does_not_fail(hole):
    flat = torch.full((1, 3, HEIGHT, WIDTH), 0.3)
    assert detail(flat, hole) == pytest.approx(1, abs=1e-3)
    assert seam(flat, hole) == 1


def test_a_blurred_hole_lacks_detail(photo, hole):
    for sigma in (0.7, 1.5, 4.0):
        blurred = torch.stack([gaussian_blur(channel, sigma, sigma) for channel in photo[0]])[None]
        assert detail(filled(photo, hole, blurred), hole) < 0.7


def test_noise_in_the_hole_is_too_much_detail(photo, hole):
    noise = torch.rand(photo.shape, generator=torch.Generator().manual_seed(1))
    assert detail(filled(photo, hole, noise), hole) > 1.4


def test_detail_is_the_energy_above_a_quarter_of_the_sampling_rate(hole):
    """By hand: of a wave across, of amplitude a, the filter leaves all at half of the sampling rate, half of the
    amplitude at a quarter, where the energy of the pixels is a²/4 each (with the phase that gives ±a, ±a)."""
    x = torch.arange(WIDTH)
    fastest = torch.where(x % 2 == 0, 0.6, 0.4)
    quarter = torch.where(x % 4 < 2, 0.6, 0.4)
    flat = torch.full((1, 3, HEIGHT, WIDTH), 0.5)
    for wave, energy in ((fastest, 0.1**2), (quarter, 0.1**2 / 4)):
        found = detail(filled(flat, hole, wave.expand_as(flat)), hole)
        assert found == pytest.approx((energy + QUIET**2) / QUIET**2, rel=1e-3)


def test_slow_changes_are_no_detail(hole):
    slope = torch.linspace(0, 1, WIDTH).expand(1, 3, HEIGHT, WIDTH)
    flat = torch.full((1, 3, HEIGHT, WIDTH), 0.5)
    assert detail(filled(flat, hole, slope), hole) == pytest.approx(1, abs=1e-3)


def test_one_strong_line_in_the_ring_does_not_outweigh_it(photo, hole):
    lined = photo.clone()
    lined[..., 56, :] = 1  # in the ring, below the hole
    assert 0.7 < detail(lined, hole) < detail(photo, hole)


def test_a_step_at_the_edge_is_seen(photo, hole):
    """By hand on a flat picture: every pair over the edge differs by the step, none in the ring does."""
    flat = torch.full((1, 3, HEIGHT, WIDTH), 0.5)
    assert seam(filled(flat, hole, flat + 0.1), hole) == pytest.approx((0.1 + QUIET) / QUIET, rel=1e-4)
    assert seam(filled(photo, hole, photo + 0.3), hole) > 1.2
    assert seam(filled(photo, hole, photo + 0.01), hole) < 1.2


def test_a_seam_is_held_against_what_is_around(hole):
    """By hand: in steps of 0.1 a pixel across, and none down, the pairs in the ring differ by the mean of both."""
    slope = (0.02 * torch.arange(WIDTH)).expand(1, 3, HEIGHT, WIDTH)
    edge = (2 * 30 * 0.02 + 2 * 40 * 0.0) / (2 * 30 + 2 * 40)  # two sides of 30 pixels, two of 40
    assert seam(slope, hole) == pytest.approx((edge + QUIET) / (0.01 + QUIET), rel=0.05)


def test_what_is_marked_as_others_is_no_surrounding(photo, hole):
    others = torch.zeros_like(hole)
    others[..., 74:] = 1  # all of the ring's right side
    spoilt = torch.where(others > 0.5, torch.zeros_like(photo), photo)
    assert detail(spoilt, hole) > 1.5
    assert detail(spoilt, hole, others) == pytest.approx(detail(photo, hole), abs=0.2)
    assert seam(spoilt, hole, others) == pytest.approx(seam(photo, hole), abs=0.1)


def test_an_edge_is_no_detail(photo, hole):
    """However strong, it is the seam's to tell: no pixel that counts for detail sees both sides."""
    black, white = (filled(photo, hole, torch.full_like(photo, value)) for value in (0.0, 1.0))
    assert detail(black, hole) == pytest.approx(detail(white, hole), rel=1e-4)
    assert detail(black, hole) < 0.1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_hole_and_nothing_but_a_hole_have_no_measure(photo, value):
    mask = torch.full((1, 1, HEIGHT, WIDTH), value)
    assert math.isnan(detail(photo, mask))
    assert math.isnan(seam(photo, mask))


def test_a_hole_too_thin_for_the_filter_has_no_detail_but_a_seam(photo):
    thin = torch.zeros(1, 1, HEIGHT, WIDTH)
    thin[..., 30:36, 20:70] = 1
    assert math.isnan(detail(photo, thin))
    assert seam(photo, thin) == pytest.approx(1, abs=0.2)
