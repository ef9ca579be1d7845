"""What of a photo that no model knows goes along with an object, and how much around it is drawn anew."""

from dataclasses import replace

import pytest
import torch

from realedit.compositing.effects import Effects
from realedit.compositing.scene import ObjectEdit
from realedit.editing.photo_decomposition import carried, fitting
from realedit.geometry.transform import IDENTITY, Placement
from realedit.objects.located_object import LocatedObject
from realedit.settings import DEFAULTS

AWAY = Placement(anchor=(0.5, 0.5), target=(0.7, 0.5))


def object_at(left: int, placement: Placement = AWAY) -> ObjectEdit:
    """A thing 20 x 20 pixels large in a picture of 60 x 100, in a dark shadow all over."""
    mask = torch.zeros(1, 1, 60, 100)
    mask[..., 20:40, left : left + 20] = 1
    effects = Effects(torch.full_like(mask, 0.5), torch.zeros_like(mask))
    return ObjectEdit(LocatedObject("thing", (), mask), (placement,), None, effects)


def test_only_what_lies_close_of_a_shadow_goes_along():
    row = carried(object_at(40)).effects.shadow[0, 0, 30]
    assert (row[39:61] == 0.5).all(), "beside it, and behind it"
    assert (row[:33] == 1).all(), "0.3 of its extent, 6 pixels, and farther"
    assert (row[60:70].diff() >= 0).all()


@pytest.mark.parametrize("left", [1, 79])
def test_none_that_the_frame_cuts_off_does(left):
    row = carried(object_at(left)).effects.shadow[0, 0, 30]
    at_frame = row[0] if left == 1 else row[-1]
    assert at_frame == 1
    assert row[left + 10] == 0.5


def test_a_reflection_ends_softly_where_the_frame_cuts_it_off():
    edit = object_at(1)
    mirror = torch.zeros_like(edit.mask)
    mirror[..., 40:, :21] = 1
    row = carried(replace(edit, effects=replace(edit.effects, reflection=mirror))).effects.reflection[0, 0, 50]
    assert row[0] == 0
    assert 0 < row[1] < 1
    assert (row[2:21] == 1).all()


def test_what_stays_keeps_all():
    assert (carried(object_at(40, IDENTITY)).effects.shadow == 0.5).all()


def square(height: int, width: int, side: int) -> ObjectEdit:
    mask = torch.zeros(1, 1, height, width)
    mask[..., 5 : 5 + side, 9 : 9 + side] = 1
    return ObjectEdit(LocatedObject("thing", (), mask), (AWAY,), None, Effects.none(mask))


@pytest.mark.parametrize(
    ("side", "of_extent", "expected"),
    [
        (1000, 0.6, 0.025),
        (1000, 0.25, 0.015),
        (1000, 0.1, 0.01),
        (200, 0.2, 0.025),
        (400, 0.1, 0.02),
    ],
    ids=["a large thing", "a smaller one", "a small one", "a small picture", "eight pixels"],
)
def test_the_margin_is_narrower_around_small_things_in_large_photos(side, of_extent, expected):
    settings = fitting(DEFAULTS, [square(side, side + 40, round(side * of_extent))])
    assert settings.margin == pytest.approx(expected)
    assert settings.feather / DEFAULTS.feather == pytest.approx(settings.margin / DEFAULTS.margin)


def test_the_largest_thing_that_moves_counts_and_else_nothing_is_changed():
    small, large = square(1000, 1040, 100), square(1000, 1040, 300)
    assert fitting(DEFAULTS, [small, large]) == fitting(DEFAULTS, [large])
    assert fitting(DEFAULTS, [replace(large, placements=(IDENTITY,))]) == DEFAULTS
    narrow = replace(DEFAULTS, margin=0.004)
    assert fitting(narrow, [large]).margin == 0.004
