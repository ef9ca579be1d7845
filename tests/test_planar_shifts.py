"""Shifts along tables and floors in perspective."""

import pytest
import torch
from torch import Tensor

from realedit.inpainting.completion import complete
from realedit.inpainting.planar_shifts import planar_shifts
from realedit.inpainting.shift_map import HoleContext, Shift, sources
from tests.test_completion import disc, error, picture, place, without

HORIZON, TABLE, COLUMN = 17.0, 36, 50.0


def table(checks: float, height: int = 96, width: int = 128) -> Tensor:
    """A plain wall above a table with stripes that run away from the viewer, cut into `checks` for each unit of depth;
    every pixel is a mean, as a camera's are."""
    y, x = place(4 * height, 4 * width)
    below = (y / 4 - HORIZON).clamp(min=1)
    across, along = (x / 4 - COLUMN) / below * 4, 150 * checks / below
    values = torch.where(y / 4 > TABLE, (across.floor() + along.floor()) % 2, 0.5)
    return picture(torch.nn.functional.avg_pool2d(values[None], 4)[0])


def test_a_shift_along_a_plane_is_one_by_hand():
    """In the plane's own coordinates, 1 / (y - horizon) and (x - column) / (y - horizon), it adds the same."""
    shift = Shift(0.0, 0.0, 0.3, HORIZON, -0.005, COLUMN)
    x, y = torch.tensor([40.5, 90.0, 12.0]), torch.tensor([40.0, 60.5, 80.0])
    far_x, far_y = sources(torch.tensor([shift.numbers])[..., None], x, y)
    torch.testing.assert_close(1 / (far_y - HORIZON), (1 / (y - HORIZON) - 0.005)[None])
    torch.testing.assert_close((far_x - COLUMN) / (far_y - HORIZON), ((x - COLUMN) / (y - HORIZON) + 0.3)[None])


def test_a_larger_picture_has_the_same_shift_larger():
    shift = Shift(0.0, 0.0, 0.3, HORIZON, -0.005, COLUMN)
    x, y = torch.tensor([40.5]), torch.tensor([60.5])
    small = sources(torch.tensor([shift.numbers]), x, y)
    large = sources(torch.tensor([shift.times(3).numbers]), 3 * x, 3 * y)
    torch.testing.assert_close(torch.stack(large), 3 * torch.stack(small))


@pytest.mark.parametrize("checks", [0.0, 1.0])
def test_the_horizon_is_found_and_shifts_go_along_the_table(checks):
    photo = table(checks)
    hole = disc(photo, 70, 56, 13)
    scene = HoleContext.of(without(photo, hole), hole, torch.zeros_like(hole))
    assert scene is not None
    shifts = planar_shifts(scene)
    assert len(shifts) > 5
    assert all(abs(shift.pivot_row - HORIZON) < 3 for shift in shifts)
    seen = shifts[0](scene.seen)[0]
    table_seen = (seen[3] > 0.999) & scene.known.bool()
    table_seen[: TABLE + 2] = False
    assert table_seen.sum() > 500
    assert (seen[:3] - photo[0]).abs()[:, table_seen].mean() < 0.06


@pytest.mark.parametrize(("checks", "worst"), [(0.0, 0.03), (1.0, 0.08)])
def test_what_no_copy_beside_it_shows_comes_from_nearer_rows(checks, worst):
    """A hole from edge to edge: what goes on in it is known from the rows below alone."""
    photo, hole = table(checks), torch.zeros(1, 1, 96, 128)
    hole[..., 46:60, :] = 1
    filled = complete(without(photo, hole), hole, torch.zeros_like(hole)).image
    assert error(filled, photo, hole) < worst


def test_without_anything_below_its_top_there_is_no_plane():
    photo, hole = table(1.0), torch.zeros(1, 1, 96, 128)
    hole[..., 40:, :] = 1
    scene = HoleContext.of(photo, hole, torch.zeros_like(hole))
    assert scene is not None
    assert planar_shifts(scene) == []
