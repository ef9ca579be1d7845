"""What a person wants changed, as values: built in Python, or read from a recipe by the same fields. No torch, no
model.

An edit says two things about the objects it names: where they go (`placements`), and what they look
like there (`appearance`). That is all the rest of the program asks of one, so several edits of a photo are
simply several answers. Points are fractions (x, y) of the photo.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from inversion.errors import EditError
from realedit.geometry.transform import IDENTITY, ObjectPose, Placement, Point

Poses = Mapping[str, ObjectPose]
Placements = Mapping[str, tuple[Placement, ...]]


@dataclass(frozen=True)
class ObjectSource:
    """An object of another photo: the photo's path, and its words in that photo's prompt (None: the
    only object there, or all of it)."""

    photo: str
    object: str | None = None


@dataclass(frozen=True)
class Appearance:
    """What an object shall look like: its new words, or the `source` whose look it takes on."""

    words: str | None = None
    source: ObjectSource | None = None


@dataclass(frozen=True)
class Edit:
    """Everything that can be asked of a photo; `kind` is its name in recipes.

    Raises:
        EditError: on construction, if no photo could be edited so.
    """

    # Dataclasses of the standard library, so that building one in Python costs and checks no more than it says;
    # pydantic reads this, and the fields, when one stands in a recipe.
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: str = field(kw_only=True)

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases of the photo's prompt that it changes."""
        return ()

    @property
    def appearance(self) -> Appearance | None:
        """The new look of its objects; None if they keep their own."""
        return None

    def placements(self, places: Poses) -> Placements:
        """Where each of its objects is drawn, given where they are; {} if they stay as they are.

        Raises:
            EditError: one would leave the photo.
        """
        return {}


@dataclass(frozen=True)
class _OfObject(Edit):
    object: str

    @property
    def objects(self) -> tuple[str, ...]:
        return (self.object,)


@dataclass(frozen=True)
class _Relocation(_OfObject):
    """The centre goes `to` a point, or is shifted `by` fractions of the photo; with `scale` the object is enlarged
    or shrunk on the way, about its centre."""

    to: Point | None = None
    by: Point | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if (self.to is None) == (self.by is None):
            raise EditError(f"a {self.kind} needs either a target (to) or a shift (by), not both")
        _check_target(self.to)
        _check_scale(self.scale)
        if self.by is not None and not all(math.isfinite(v) for v in self.by):
            raise EditError(f"the shift {self.by} is none; give fractions of the photo")

    def placement(self, place: ObjectPose) -> Placement:
        """Where the object goes.

        Raises:
            EditError: its centre would leave the photo.
        """
        centre, shift = place.centre, self.by or (0.0, 0.0)
        target = self.to if self.to is not None else (centre[0] + shift[0], centre[1] + shift[1])
        if not all(0 <= v <= 1 for v in target):
            raise EditError(
                f'"{self.object}" is at ({centre[0]:.2f}, {centre[1]:.2f}); moved by '
                f"({shift[0]:g}, {shift[1]:g}) its centre would leave the photo"
            )
        return Placement(centre, target, self.scale)


@dataclass(frozen=True)
class Move(_Relocation):
    """Relocate an object."""

    kind: Literal["move"] = field(default="move", kw_only=True)
    to: Annotated[Point | None, Field(description="Where its centre goes, fractions of the photo")] = None
    by: Annotated[Point | None, Field(description="How far it is shifted, fractions of the photo")] = None

    def placements(self, places: Poses) -> Placements:
        return {self.object: (self.placement(places[self.object]),)}


@dataclass(frozen=True)
class Duplicate(_Relocation):
    """Draw an object a second time."""

    kind: Literal["duplicate"] = field(default="duplicate", kw_only=True)

    def placements(self, places: Poses) -> Placements:
        return {self.object: (IDENTITY, self.placement(places[self.object]))}


@dataclass(frozen=True)
class Resize(_OfObject):
    """Enlarge or shrink an object where it stands."""

    kind: Literal["resize"] = field(default="resize", kw_only=True)
    scale: float

    def __post_init__(self) -> None:
        _check_scale(self.scale)

    def placements(self, places: Poses) -> Placements:
        return {self.object: (self.placement(places[self.object]),)}

    def placement(self, place: ObjectPose) -> Placement:
        """Its lowest point stays in place."""
        return Placement(place.foot, place.foot, self.scale)


@dataclass(frozen=True)
class Remove(_OfObject):
    """Take an object away, with its shadow and reflection."""

    kind: Literal["remove"] = field(default="remove", kw_only=True)

    def placements(self, places: Poses) -> Placements:
        return {self.object: ()}


@dataclass(frozen=True)
class Swap(_OfObject):
    """Let two objects change places."""

    kind: Literal["swap"] = field(default="swap", kw_only=True)
    other: str

    def __post_init__(self) -> None:
        if self.object == self.other:
            raise EditError(f'"{self.object}" cannot be swapped with itself; name two objects')

    @property
    def objects(self) -> tuple[str, ...]:
        return self.object, self.other

    def placements(self, places: Poses) -> Placements:
        """Each stands where the other stood, by the middle of what they stand on, and looks as much larger as that is
        nearer. Where that is not known, rows tell it, as if the horizon lay at the top edge."""
        here, there = places[self.object], places[self.other]
        one, two = here.ground_point, there.ground_point
        nearer = (there.inverse_depth or two[1]) / (here.inverse_depth or one[1])
        nearer = min(max(nearer, 0.5), 2.0)
        return {self.object: (Placement(one, two, nearer),), self.other: (Placement(two, one, 1 / nearer),)}


@dataclass(frozen=True)
class Restyle(_OfObject):
    """Give an object a new look from words."""

    kind: Literal["restyle"] = field(default="restyle", kw_only=True)
    words: Annotated[str, Field(alias="as", description="The object in its new look, such as 'striped blue can'")]

    def __post_init__(self) -> None:
        if not any(c.isalnum() for c in self.words):
            raise EditError(f'"{self.words}" says nothing of a new look; give words such as "striped blue can"')

    @property
    def appearance(self) -> Appearance:
        """Its shape and place stay."""
        return Appearance(words=self.words)


@dataclass(frozen=True)
class _FromPhoto(Edit):
    """What takes something from another photo. In Python that is one value, `source`; recipes write it as two keys of
    the edit, which are the fields here. So those who inherit this construct themselves, and write into `vars`, since
    the fields are frozen."""

    photo: Annotated[str, Field(alias="from", description="The other photo, its path from the recipe's folder")]
    from_object: Annotated[str | None, Field(description="The object there")] = None

    @property
    def source(self) -> ObjectSource:
        return ObjectSource(self.photo, self.from_object)


@dataclass(frozen=True, init=False)
class Transfer(_FromPhoto, _OfObject):
    """Give an object the look of an object in another photo."""

    kind: Literal["transfer"] = field(default="transfer", kw_only=True)

    def __init__(self, object: str, source: ObjectSource) -> None:
        vars(self).update(object=object, photo=source.photo, from_object=source.object)

    @property
    def appearance(self) -> Appearance:
        """Its shape and place stay."""
        return Appearance(source=self.source)


@dataclass(frozen=True, init=False)
class Insert(_FromPhoto):
    """Set an object of another photo into this one."""

    kind: Literal["insert"] = field(default="insert", kw_only=True)
    to: Point  # type: ignore[misc]  # without a default after a field with one, since no __init__ is generated
    scale: float = 1.0

    def __init__(self, source: ObjectSource, to: Point, scale: float = 1.0) -> None:
        vars(self).update(photo=source.photo, from_object=source.object, to=to, scale=scale)
        self.__post_init__()

    def __post_init__(self) -> None:
        _check_target(self.to)
        _check_scale(self.scale)

    def placement(self, place: ObjectPose) -> Placement:
        """Its centre goes `to` a point; with `scale` 1 it is as large against the photo's shorter side as it was in
        its own."""
        return Placement(place.centre, self.to, self.scale)


AnyEdit = Annotated[
    Move | Duplicate | Resize | Remove | Swap | Restyle | Transfer | Insert, Field(discriminator="kind")
]


def check_together(edits: Sequence[Edit]) -> None:
    """Refuse edits that contradict each other.

    Raises:
        EditError: two of them send one object to different places, or give it two looks, or one
            removes what another changes.
    """
    if not edits:
        raise EditError("no edit is given; name at least one")
    for phrase in dict.fromkeys(p for e in edits for p in e.objects):
        own = [e for e in edits if phrase in e.objects]
        places = [e for e in own if e.appearance is None]
        looks = [e for e in own if e.appearance is not None]
        removed = any(isinstance(e, Remove) for e in own)
        if len(places) > 1 or len(looks) > 1 or (removed and len(own) > 1):
            names = " and ".join(e.kind for e in own)
            raise EditError(f'"{phrase}" is asked to {names}, which contradict each other; keep one of them')


def _check_target(to: Point | None) -> None:
    """Refuse one outside the photo."""
    if to is not None and not all(0 <= v <= 1 for v in to):
        raise EditError(f"the target {to} lies outside the photo; give fractions from 0 to 1")


def _check_scale(scale: float) -> None:
    """Refuse sizes that no edit can mean."""
    if not 0.05 <= scale <= 20:
        raise EditError(f"scale {scale:g} is not possible; give a factor from 0.05 to 20")
