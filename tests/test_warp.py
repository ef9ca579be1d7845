"""Placements and what they do to tensors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inversion.properties import centroid
from realedit.geometry.transform import GridWarp, Placement
from realedit.geometry.warp import warp

fractions = st.floats(0, 1)


def picture(height=12, width=20):
    return torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0))


def test_identity_is_exact():
    assert torch.equal(warp(picture(), Placement((0.3, 0.4), (0.3, 0.4))), picture())


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (-3, 0), (0, 2), (0, -2), (5, -4)])
@pytest.mark.parametrize("nearest", [False, True])
def test_whole_cells_are_a_shift_that_never_wraps_around(dx, dy, nearest):
    image = picture()
    moved = warp(image, Placement((0.5, 0.5), (0.5 + dx / 20, 0.5 + dy / 12)), nearest=nearest)
    expected = torch.zeros_like(image)
    height, width = image.shape[-2:]
    expected[..., max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = image[
        ..., max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)
    ]
    torch.testing.assert_close(moved, expected, atol=2e-5, rtol=0)


def test_opposite_directions_differ():
    here = (0.5, 0.5)
    up, down = (warp(picture(), Placement(here, (0.5, y))) for y in (0.25, 0.75))
    assert not torch.allclose(up, down)


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.5])
def test_scaling_keeps_the_anchor_and_changes_the_area_by_its_square(scale):
    blob = torch.zeros(1, 1, 60, 100)
    blob[..., 24:36, 60:80] = 1
    centre = tuple(centroid(blob[0, 0]).tolist())
    scaled = warp(blob, Placement(centre, centre, scale))
    torch.testing.assert_close(centroid(scaled[0, 0]), torch.tensor(centre), atol=2e-3, rtol=0)
    assert (scaled.sum() / blob.sum()).item() == pytest.approx(scale**2, rel=0.03)
    assert scaled.max() <= 1 + 1e-6


def test_nearest_keeps_the_spread_of_noise():
    noise = torch.randn(1, 4, 40, 60, generator=torch.Generator().manual_seed(1))
    placement = Placement((0.5, 0.5), (0.512, 0.507))
    inside = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    assert warp(noise, placement, nearest=True)[inside].std().item() == pytest.approx(1, abs=0.05)
    assert warp(noise, placement)[inside].std().item() < 0.9


@given(
    st.tuples(fractions, fractions),
    st.tuples(fractions, fractions),
    st.floats(0.1, 10),
    st.tuples(fractions, fractions),
)
def test_inverse_undoes_a_placement(anchor, target, scale, point):
    placement = Placement(anchor, target, scale)
    assert placement.inverse(placement(point)) == pytest.approx(point, abs=1e-9)
    assert placement(anchor) == pytest.approx(target)


def waves(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 0.5 + 0.25 * torch.sin(9 * x + 2) + 0.25 * torch.cos(7 * y)


@pytest.mark.parametrize("turn", [((0.96, -0.2), (0.3, 0.979166667)), ((1.1, 0.0), (0.0, 0.909090909))])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
def test_a_turn_shows_what_was_there(turn, scale):
    """Of waves whose value is known between the pixels; in a frame that is not square."""
    placement = Placement((0.45, 0.55), (0.5, 0.48), scale, turn)
    ys, xs = torch.meshgrid((torch.arange(90) + 0.5) / 90, (torch.arange(130) + 0.5) / 130, indexing="ij")
    moved = warp(waves(xs, ys)[None, None], placement)[0, 0]
    for row, column in ((45, 65), (38, 80), (55, 50)):
        x, y = placement.inverse(((column + 0.5) / 130, (row + 0.5) / 90))
        expected = waves(torch.tensor(x), torch.tensor(y))
        assert moved[row, column].item() == pytest.approx(expected.item(), abs=2e-3)


def test_a_turn_keeps_the_centre_and_the_area():
    blob = torch.zeros(1, 1, 90, 130)
    blob[..., 30:60, 50:70] = 1
    centre = tuple(centroid(blob[0, 0]).tolist())
    turned = warp(blob, Placement(centre, (0.6, 0.5), 1.0, ((0.96, -0.2), (0.3, 0.979166667))))
    torch.testing.assert_close(centroid(turned[0, 0]), torch.tensor((0.6, 0.5)), atol=2e-3, rtol=0)
    assert (turned.sum() / blob.sum()).item() == pytest.approx(1, rel=0.01)


def test_a_turn_copies_noise_and_leaves_nothing_outside():
    noise = torch.randn(1, 4, 40, 60, generator=torch.Generator().manual_seed(1))
    turned = warp(noise, Placement((0.5, 0.5), (0.5, 0.5), 1.0, ((0.9, -0.3), (0.4, 0.977777778))), nearest=True)
    assert set(turned.unique().tolist()) <= {*noise.unique().tolist(), 0.0}
    assert (
        warp(noise, Placement((0.1, 0.1), (0.9, 0.9), 1.0, ((0.9, -0.3), (0.4, 0.977777778))))[..., :5, :5].eq(0).all()
    )


BOX = (0.25, 0.25, 0.75, 0.75)


def grid(box):
    across, down = np.linspace(box[0], box[2], 9), np.linspace(box[1], box[3], 9)
    return np.stack(np.meshgrid(across, down), -1)


@pytest.mark.parametrize("nearest", [False, True])
def test_what_is_bent_into_itself_is_as_it_was_and_all_else_is_gone(nearest):
    image = picture()
    bent = warp(image, Placement((0.5, 0.5), (0.5, 0.5), grid_warp=GridWarp(BOX, grid(BOX))), nearest=nearest)
    expected = torch.zeros_like(image)
    expected[..., 3:9, 5:15] = image[..., 3:9, 5:15]
    torch.testing.assert_close(bent, expected, atol=1e-5, rtol=0)


def test_a_bend_reads_from_its_sources_and_comes_before_the_rest():
    image = picture()
    sources = grid(BOX) + (2 / 20, -1 / 12)  # two to the right, one above
    moved = warp(image, Placement((0.5, 0.5), (0.5 + 3 / 20, 0.5), grid_warp=GridWarp(BOX, sources)))
    expected = torch.zeros_like(image)
    expected[..., 3:9, 8:18] = image[..., 2:8, 7:17]
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_a_bend_outside_the_picture_leaves_nothing():
    away = (1.2, 0.2, 1.5, 0.4)
    assert not warp(picture(), Placement((0.5, 0.5), (0.5, 0.5), grid_warp=GridWarp(away, grid(away)))).any()


def test_half_a_turn_is_exact():
    upside_down = warp(picture(), Placement((0.5, 0.5), (0.5, 0.5), linear=((-1.0, 0.0), (0.0, -1.0))))
    torch.testing.assert_close(upside_down, picture().flip(-2, -1), atol=1e-6, rtol=0)
