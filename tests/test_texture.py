"""What fills a hole has as much fine detail as what is around it."""

import numpy as np
import pytest

from realedit.images import fine_detail
from realedit.inpainting.hole_part import FAINTEST, HolePart
from realedit.inpainting.offset_map import HoleView, lay_out
from realedit.inpainting.texture import expected_texture


def boxed(shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[rows, columns] = True
    return inside


def test_the_energy_of_a_checkerboard_is_its_square_and_of_a_ramp_none():
    y, x = np.mgrid[:20, :30]
    board = 0.5 + 0.1 * (-1.0) ** (x + y)
    picture = np.repeat(board[..., None], 3, 2)
    assert fine_detail(picture)[5:15, 5:25] == pytest.approx(0.1**2, rel=1e-3)
    ramp = np.repeat((x / 60)[..., None], 3, 2)
    assert fine_detail(ramp)[5:15, 5:25] == pytest.approx(0, abs=1e-9)


def test_a_hole_between_two_grounds_is_expected_to_be_like_the_nearer():
    texture = np.where(np.arange(40) < 20, -2.0, -8.0) * np.ones((30, 1))
    hole = boxed((30, 40), slice(10, 20), slice(12, 28))
    wanted = expected_texture(np.where(hole, 0.0, texture), ~hole, hole, None)
    assert (wanted[~hole] == texture[~hole]).all()
    assert wanted[15, 12] == pytest.approx(-2, abs=0.5)
    assert wanted[15, 27] == pytest.approx(-8, abs=0.5)
    assert (np.diff(wanted[15, 12:28]) <= 1e-9).all()


def test_tones_say_which_ground_it_is():
    texture = np.where(np.arange(40) < 20, -2.0, -8.0) * np.ones((30, 1))
    hole = boxed((30, 40), slice(10, 20), slice(12, 28))
    tones = np.where(texture > -5, 1.0, 4.0)[..., None]
    tones[hole] = 4.0
    assert expected_texture(texture, ~hole, hole, tones)[hole] == pytest.approx(-8, abs=0.01)


def test_where_nothing_is_known_it_stays():
    texture, nothing = np.random.default_rng(0).random((6, 8)), np.zeros((6, 8), bool)
    assert (expected_texture(texture, nothing, ~nothing, None) == texture).all()
    assert (expected_texture(texture, ~nothing, nothing, None) == texture).all()


def test_a_part_knows_its_own_texture_outside_the_hole():
    pixels = np.random.default_rng(1).random((40, 60, 3))
    hole = boxed((40, 60), slice(15, 25), slice(20, 35))
    part = HolePart(pixels, hole, np.zeros_like(hole)).textured()
    own = np.log(fine_detail(pixels) + FAINTEST**2)
    assert (part.texture[~hole] == own[~hole]).all()
    assert part.texture[hole] == pytest.approx(own[~hole].mean(), abs=1.0)


def test_of_two_copies_alike_in_tones_that_with_the_expected_texture_is_taken():
    """The one without it is nearer."""
    colours = np.zeros((30, 90, 3), np.float32)
    hole = boxed((30, 90), slice(10, 20), slice(40, 50))
    texture = np.full((30, 90), -8.0, np.float32)
    texture[:, :30], texture[hole] = -3.0, -3.0
    offsets = np.array([(0, 12), (0, -25)])
    assert (lay_out(HoleView(colours, ~hole, hole), offsets, 0)[hole] == 0).all()
    assert (lay_out(HoleView(colours, ~hole, hole, texture=texture), offsets, 0)[hole] == 1).all()
