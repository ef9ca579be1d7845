"""Shifts that lay a picture over itself."""

import pytest
import torch

from realedit.inpainting.shift_map import HoleContext, Shift
from realedit.inpainting.shift_search import candidates, refine_shifts


def scene(photo: torch.Tensor, rows: slice, columns: slice) -> HoleContext:
    hole = torch.zeros(1, 1, *photo.shape[-2:])
    hole[..., rows, columns] = 1
    found = HoleContext.of(photo, hole, torch.zeros_like(hole))
    assert found is not None
    return found


@pytest.mark.parametrize(("height", "width", "corner"), [(64, 96, (20, 30)), (80, 64, (50, 4)), (64, 64, (2, 44))])
def test_the_period_of_a_pattern_is_found_in_both_directions(height, width, corner):
    """Noise that repeats every 12 rows and 20 columns matches itself at these shifts alone."""
    noise = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    photo = noise.repeat(1, 1, -(-height // 12), -(-width // 20))[..., :height, :width]
    hole = scene(photo, slice(corner[0], corner[0] + 10), slice(corner[1], corner[1] + 14))
    found = [shift for shift in candidates(hole) if shift.shear == 0]
    exact = [shift for shift in found if shift.dx % 20 == 0 and shift.dy % 12 == 0]
    assert {(s.dx, s.dy) for s in exact} >= {(0, 12)} or {(s.dx, s.dy) for s in exact} >= {(0, -12)}
    for shift in exact:  # what a shift says it copies is what it copies
        copy = shift(hole.photo[None])[0]
        seen = shift(hole.known[None, None])[0, 0] > 0.999
        assert seen[hole.band > 0].float().mean() > 0.1
        torch.testing.assert_close(copy[:, seen], hole.photo[:, seen], atol=1e-4, rtol=0)


def test_a_shift_is_sharpened_to_the_fraction_at_which_the_picture_matches_itself():
    """Rows of a wave, each shifted by 0.37 of a pixel for each row down from the hole's middle, and 24.4 on."""
    y, x = torch.meshgrid(torch.arange(80) + 0.5, torch.arange(120) + 0.5, indexing="ij")
    hole = scene(torch.zeros(1, 3, 80, 120), slice(30, 50), slice(40, 62))
    period = 24.4 + 0.37 * (y - hole.middle)
    phase = 2 * torch.pi * (x - 51) / period
    photo = torch.stack((phase.sin(), phase.cos(), phase.sin())) * 0.4 + 0.5
    hole = scene(photo[None], slice(30, 50), slice(40, 62))
    (found,) = refine_shifts(hole, hole.band, [Shift(24, 0, 0.3, hole.middle)], (1.0, 0.0, 0.2, 0.0))
    assert abs(found.dx - 24.4) < 0.15
    assert abs(found.shear - 0.37) < 0.03
    assert found.dy == 0


def test_what_matches_already_is_left_and_nothing_is_no_shift():
    tile = torch.rand(1, 3, 9, 13, generator=torch.Generator().manual_seed(0))
    hole = scene(tile.repeat(1, 1, 8, 8)[..., :64, :96], slice(20, 30), slice(30, 44))
    exact = Shift(26, 9, 0.0, hole.middle)
    assert refine_shifts(hole, hole.band, [exact], (1.0, 1.0, 0.1, 0.0)) == [exact]
    assert refine_shifts(hole, hole.band, [], (1.0, 1.0, 0.1, 0.0)) == []


def test_a_shear_about_another_row_stays_the_same_shift():
    hole = scene(torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)), slice(20, 30), slice(30, 44))
    about = Shift(5, 2, 0.5, hole.middle - 4)
    assert refine_shifts(hole, hole.band, [about], (0.0, 0.0, 0.0, 0.0)) == [about]
