"""Edits as values, and what they refuse."""

import pytest

from inversion.errors import EditError
from realedit.edits import Move, Placement, Resize

CENTRE, BOX = (0.4, 0.5), (0.3, 0.4, 0.5, 0.7)


def test_move_to_and_by():
    assert Move("cup", to=(0.7, 0.6)).placement(CENTRE, BOX) == Placement(CENTRE, (0.7, 0.6))
    moved = Move("cup", by=(0.1, -0.2), scale=1.5).placement(CENTRE, BOX)
    assert moved.target == pytest.approx((0.5, 0.3))
    assert moved.scale == 1.5


def test_resize_stands_on_its_foot():
    placement = Resize("cup", 2.0).placement(CENTRE, BOX)
    assert placement.anchor == placement.target == (0.4, 0.7)
    assert placement((0.4, 0.4)) == pytest.approx((0.4, 0.1))


def test_a_point_goes_where_the_placement_says():
    assert Placement((0.2, 0.2), (0.5, 0.6), 2.0)((0.3, 0.1)) == pytest.approx((0.7, 0.4))


@pytest.mark.parametrize("scale", [0, -1, 0.001, 100, float("nan")])
def test_impossible_scales(scale):
    with pytest.raises(EditError, match="not possible"):
        Resize("cup", scale)
    with pytest.raises(EditError, match="not possible"):
        Move("cup", to=(0.5, 0.5), scale=scale)


@pytest.mark.parametrize("to", [(1.2, 0.5), (0.5, -0.1), (float("nan"), 0.5)])
def test_target_outside_the_photo(to):
    with pytest.raises(EditError, match="outside the photo"):
        Move("cup", to=to)


def test_shift_out_of_the_photo():
    with pytest.raises(EditError, match="would leave the photo"):
        Move("cup", by=(0.7, 0)).placement(CENTRE, BOX)


@pytest.mark.parametrize("targets", [{}, {"to": (0.5, 0.5), "by": (0.1, 0)}])
def test_exactly_one_target(targets):
    with pytest.raises(EditError, match="either a target"):
        Move("cup", **targets)
