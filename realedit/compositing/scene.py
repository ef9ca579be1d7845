"""A photo taken apart into objects, what lies behind them, and what comes from other photos."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from realedit.compositing.effects import Effects
from realedit.compositing.layers import ObjectLayer
from realedit.compositing.separation import CleanPlate
from realedit.edits import Appearance
from realedit.geometry.transform import IDENTITY, Placement
from realedit.objects.located_object import LocatedObject


@dataclass(frozen=True, eq=False)
class ObjectEdit:
    """An object of the photo and all that is asked of it.

    It is set down at each of `placements`; where `IDENTITY` is one of them it also keeps its place, and where there is
    none it is gone, or not set down yet. `appearance` is what it shall look like, None as before. `effects` are what it
    leaves beside it, at the size of its mask.
    """

    object: LocatedObject
    placements: tuple[Placement, ...]
    appearance: Appearance | None
    effects: Effects

    @property
    def mask(self) -> Tensor:
        """Where it is, (1, 1, H, W)."""
        return self.object.mask

    @property
    def leaves(self) -> bool:
        """Whether its place is vacated, wholly or in part."""
        return IDENTITY not in self.placements

    @property
    def moves(self) -> bool:
        """Whether it is drawn anywhere else, or nowhere."""
        return self.placements != (IDENTITY,)

    def with_mask(self, mask: Tensor) -> "ObjectEdit":
        """The same in another picture, or seen better."""
        return replace(self, object=self.object.with_mask(mask))


@dataclass(frozen=True, eq=False)
class InsertedObject:
    """An object of another photo that is set down too: its `layer`, extracted from that photo, with its mask
    (1, 1, H', W') there."""

    phrase: str
    layer: ObjectLayer
    mask: Tensor
    placement: Placement

    def converted(self, convert: Callable[[Tensor], Tensor]) -> "InsertedObject":
        """The same in other colours, to which `convert` takes pictures (1, 3, H, W)."""
        return replace(self, layer=self.layer.converted(convert))


@dataclass(frozen=True, eq=False)
class LayeredScene:
    """A photo at one size: the `objects` that edits name, the `clean_plate` behind those that move, the `others` of the
    photo, which stay, what is `inserted` from other photos, and what stays in `front` of all that is set down, a mask
    (1, 1, H, W), if anything does."""

    objects: tuple[ObjectEdit, ...]
    clean_plate: CleanPlate
    others: tuple[LocatedObject, ...] = ()
    inserted: tuple[InsertedObject, ...] = ()
    front: Tensor | None = None

    @property
    def moving(self) -> list[ObjectEdit]:
        """The objects that are drawn elsewhere, or nowhere."""
        return [edit for edit in self.objects if edit.moves]

    @property
    def phrases(self) -> list[str]:
        """The names of all objects that belong to the photo."""
        return [*(edit.object.phrase for edit in self.objects), *(other.phrase for other in self.others)]
