"""Edits of objects made by hand."""

from torch import Tensor

from realedit.compositing.effects import Effects
from realedit.compositing.scene import ObjectEdit
from realedit.edits import Appearance
from realedit.geometry.transform import Placement
from realedit.objects.located_object import LocatedObject


def object_edit(
    phrase: str,
    mask: Tensor,
    placements: tuple[Placement, ...],
    effects: Effects | None = None,
    appearance: Appearance | None = None,
) -> ObjectEdit:
    """An object that the model knows, and where it is set down."""
    return ObjectEdit(LocatedObject(phrase, (1,), mask), placements, appearance, effects or Effects.none(mask))
