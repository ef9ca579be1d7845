"""What goes along with an object that is moved in a photo no model knows."""

import pytest
import torch

from realedit.compositing.effects import Effects
from realedit.compositing.scene import ObjectEdit
from realedit.editing.photo_decomposition import carried
from realedit.geometry.transform import IDENTITY, Placement
from realedit.objects.located_object import LocatedObject

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


def test_what_stays_keeps_all():
    assert (carried(object_at(40, IDENTITY)).effects.shadow == 0.5).all()
