"""Edits as values, and what they refuse."""

from dataclasses import FrozenInstanceError, replace

import pytest

from inversion.errors import EditError
from realedit.edits import (
    Duplicate,
    Insert,
    Move,
    ObjectSource,
    Remove,
    Resize,
    Restyle,
    Swap,
    Transfer,
    check_together,
)
from realedit.geometry.transform import IDENTITY, ObjectPose, Placement

PLACE = ObjectPose((0.4, 0.5), (0.3, 0.4, 0.5, 0.7))
OTHER = ObjectPose((0.8, 0.6), (0.7, 0.5, 0.9, 0.8))


def test_move_to_and_by():
    assert Move("cup", to=(0.7, 0.6)).placement(PLACE) == Placement(PLACE.centre, (0.7, 0.6))
    moved = Move("cup", by=(0.1, -0.2), scale=1.5).placement(PLACE)
    assert moved.target == pytest.approx((0.5, 0.3))
    assert moved.scale == 1.5


def test_resize_stands_on_its_foot():
    placement = Resize("cup", 2.0).placement(PLACE)
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
        Move("cup", by=(0.7, 0)).placement(PLACE)


@pytest.mark.parametrize("targets", [{}, {"to": (0.5, 0.5), "by": (0.1, 0)}])
def test_exactly_one_target(targets):
    with pytest.raises(EditError, match="either a target"):
        Move("cup", **targets)


def test_what_every_edit_says_of_its_objects():
    places = {"cup": PLACE, "jug": OTHER}
    assert Move("cup", by=(0.1, 0.0)).placements(places) == {"cup": (Placement((0.4, 0.5), (0.5, 0.5)),)}
    assert Remove("cup").placements(places) == {"cup": ()}
    assert Duplicate("cup", to=(0.1, 0.5)).placements(places)["cup"][0] == IDENTITY
    swapped = Swap("cup", "jug").placements(places)
    assert swapped["cup"][0]((0.4, 0.7)) == pytest.approx((0.8, 0.8))
    assert swapped["jug"][0]((0.8, 0.8)) == pytest.approx((0.4, 0.7))
    assert swapped["cup"][0].scale == pytest.approx(8 / 7)  # it comes nearer
    assert swapped["jug"][0].scale == pytest.approx(7 / 8)
    assert Swap("cup", "jug").objects == ("cup", "jug")
    wide = {"cup": replace(PLACE, base=(0.4, 0.6)), "jug": OTHER}  # its middle, not its front, comes to the jug's place
    swapped = Swap("cup", "jug").placements(wide)
    assert swapped["cup"][0]((0.4, 0.6)) == pytest.approx((0.8, 0.8))
    assert swapped["cup"][0]((0.4, 0.7)) == pytest.approx((0.8, 0.8 + 0.1 * 8 / 6))
    assert swapped["jug"][0]((0.8, 0.8)) == pytest.approx((0.4, 0.6))
    for look in (Restyle("cup", "red cup"), Transfer("cup", ObjectSource("other.png"))):
        assert look.placements(places) == {}
        assert look.appearance is not None
    assert Insert(ObjectSource("other.png"), (0.5, 0.5)).objects == ()


def test_edits_that_contradict_each_other():
    check_together([Move("cup", by=(0.1, 0)), Restyle("cup", "red cup"), Remove("jug")])
    for pair in (
        [Move("cup", by=(0.1, 0)), Resize("cup", 2)],
        [Restyle("cup", "red cup"), Restyle("cup", "blue cup")],
        [Remove("cup"), Restyle("cup", "red cup")],
        [Swap("cup", "jug"), Move("jug", by=(0.1, 0))],
    ):
        with pytest.raises(EditError, match="contradict each other"):
            check_together(pair)
    with pytest.raises(EditError, match="no edit is given"):
        check_together([])


def test_impossible_looks_and_swaps():
    with pytest.raises(EditError, match="says nothing of a new look"):
        Restyle("cup", " ")
    with pytest.raises(EditError, match="swapped with itself"):
        Swap("cup", "cup")


def test_edits_are_values():
    transfer = Transfer("cup", ObjectSource("other.png", "bowl"))
    assert transfer == Transfer(object="cup", source=ObjectSource("other.png", "bowl"))
    assert len({transfer, Transfer("cup", ObjectSource("other.png")), Remove("cup"), Remove("cup")}) == 3
    assert Insert(source=ObjectSource("other.png"), to=(0.5, 0.5), scale=2.0).source == ObjectSource("other.png")
    for edit in (Move("cup", by=(0.1, 0)), transfer, Insert(ObjectSource("other.png"), (0.5, 0.5))):
        with pytest.raises(FrozenInstanceError):
            edit.kind = "remove"
    with pytest.raises(EditError, match="outside the photo"):
        Insert(ObjectSource("other.png"), to=(1.5, 0.5))
    with pytest.raises(EditError, match="scale 0 is not possible"):
        Insert(ObjectSource("other.png"), to=(0.5, 0.5), scale=0)
