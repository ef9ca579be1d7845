"""Shifts that lay a picture over itself."""

import pytest
import torch

from realedit.shifts import LEAST_SEEN, Scene, candidates


def scene(photo: torch.Tensor, rows: slice, columns: slice) -> Scene:
    hole = torch.zeros(1, 1, *photo.shape[-2:])
    hole[..., rows, columns] = 1
    found = Scene.of(photo, hole, torch.zeros_like(hole))
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
        assert seen[hole.band > 0].float().mean() > LEAST_SEEN / 2
        torch.testing.assert_close(copy[:, seen], hole.photo[:, seen], atol=1e-4, rtol=0)
