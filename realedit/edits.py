"""What a person wants changed, as values that can be written down. No torch, no model.

An edit says two things about the objects it names: where they go (`placements`), and what they look
like there (`appearance`). That is all the rest of the program asks of one, so several edits of a photo are
simply several answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

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


class Edit(Protocol):
    """Everything that can be asked of a photo."""

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases of the photo's prompt that it changes."""
        ...

    def placements(self, places: Poses) -> Placements:
        """Where each of its objects is drawn, given where they are; {} if they stay as they are.

        Raises:
            EditError: one would leave the photo.
        """
        ...

    @property
    def appearance(self) -> Appearance | None:
        """The new look of its objects; None if they keep their own."""
        ...


@dataclass(frozen=True)
class _OneObject:
    """What edits of a single object share."""

    object: str

    @property
    def objects(self) -> tuple[str, ...]:
        return (self.object,)

    @property
    def appearance(self) -> Appearance | None:
        return None

    def placements(self, places: Poses) -> Placements:
        return {}


@dataclass(frozen=True)
class Move(_OneObject):
    """Relocate an object: its centre goes `to` a point, or is _shifted `by` fractions of the photo.

    With `scale` it is enlarged or shrunk on the way, about its centre."""

    to: Point | None = None
    by: Point | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_target("move", self.to, self.by)
        _check_scale(self.scale)

    def placements(self, places: Poses) -> Placements:
        return {self.object: (self.placement(places[self.object]),)}

    def placement(self, place: ObjectPose) -> Placement:
        """Where the object goes.

        Raises:
            EditError: its centre would leave the photo.
        """
        return _shifted(self.object, place, self.to, self.by, self.scale)


@dataclass(frozen=True)
class Duplicate(_OneObject):
    """Draw an object a second time, `to` a point or `by` a shift, as `Move` would; it also stays."""

    to: Point | None = None
    by: Point | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_target("duplicate", self.to, self.by)
        _check_scale(self.scale)

    def placements(self, places: Poses) -> Placements:
        return {self.object: (IDENTITY, _shifted(self.object, places[self.object], self.to, self.by, self.scale))}


@dataclass(frozen=True)
class Resize(_OneObject):
    """Enlarge or shrink an object where it stands: its lowest point stays in place."""

    scale: float

    def __post_init__(self) -> None:
        _check_scale(self.scale)

    def placements(self, places: Poses) -> Placements:
        return {self.object: (self.placement(places[self.object]),)}

    def placement(self, place: ObjectPose) -> Placement:
        return Placement(place.foot, place.foot, self.scale)


@dataclass(frozen=True)
class Remove(_OneObject):
    """Take an object away, with its shadow and reflection."""

    def placements(self, places: Poses) -> Placements:
        return {self.object: ()}


@dataclass(frozen=True)
class Swap(_OneObject):
    """Two objects change places: each stands where the other stood, by the middle of what they stand on, and looks as
    much larger as that is nearer. Where that is not known, rows tell it, as if the horizon lay at the top edge."""

    other: str

    def __post_init__(self) -> None:
        if self.object == self.other:
            raise EditError(f'"{self.object}" cannot be swapped with itself; name two objects')

    @property
    def objects(self) -> tuple[str, ...]:
        return self.object, self.other

    def placements(self, places: Poses) -> Placements:
        here, there = places[self.object], places[self.other]
        one, two = here.ground_point, there.ground_point
        nearer = (there.inverse_depth or two[1]) / (here.inverse_depth or one[1])
        nearer = min(max(nearer, 0.5), 2.0)
        return {self.object: (Placement(one, two, nearer),), self.other: (Placement(two, one, 1 / nearer),)}


@dataclass(frozen=True)
class Restyle(_OneObject):
    """Give an object a new look from `words`, such as "striped blue can"; its shape and place stay."""

    words: str

    def __post_init__(self) -> None:
        if not any(c.isalnum() for c in self.words):
            raise EditError(f'"{self.words}" says nothing of a new look; give words such as "striped blue can"')

    @property
    def appearance(self) -> Appearance:
        return Appearance(words=self.words)


@dataclass(frozen=True)
class Transfer(_OneObject):
    """Give an object the look of an object in another photo; its shape and place stay."""

    source: ObjectSource

    @property
    def appearance(self) -> Appearance:
        return Appearance(source=self.source)


@dataclass(frozen=True)
class Insert:
    """Set an object of another photo into this one, its centre at `to`. With `scale` 1 it is as large
    against the photo's shorter side as it was in its own."""

    source: ObjectSource
    to: Point
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_target("insert", self.to, None)
        _check_scale(self.scale)

    objects: ClassVar[tuple[str, ...]] = ()
    appearance: ClassVar[None] = None

    def placements(self, places: Poses) -> Placements:
        return {}

    def placement(self, place: ObjectPose) -> Placement:
        return Placement(place.centre, self.to, self.scale)


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
            names = " and ".join(type(e).__name__.lower() for e in own)
            raise EditError(f'"{phrase}" is asked to {names}, which contradict each other; keep one of them')


def _shifted(name: str, place: ObjectPose, to: Point | None, by: Point | None, scale: float) -> Placement:
    """An object's centre `to` a point or `by` a shift, in fractions of the photo.

    Raises:
        EditError: its centre would leave the photo.
    """
    centre, shift = place.centre, by or (0.0, 0.0)
    target = to if to is not None else (centre[0] + shift[0], centre[1] + shift[1])
    if not all(0 <= v <= 1 for v in target):
        raise EditError(
            f'"{name}" is at ({centre[0]:.2f}, {centre[1]:.2f}); moved by '
            f"({shift[0]:g}, {shift[1]:g}) its centre would leave the photo"
        )
    return Placement(centre, target, scale)


def _check_target(verb: str, to: Point | None, by: Point | None) -> None:
    """Refuse two targets, none, and one outside the photo."""
    if (to is None) == (by is None):
        raise EditError(f"a {verb} needs either a target (to) or a shift (by), not both")
    if to is not None and not all(0 <= v <= 1 for v in to):
        raise EditError(f"the target {to} lies outside the photo; give fractions from 0 to 1")


def _check_scale(scale: float) -> None:
    """Refuse sizes that no edit can mean."""
    if not 0.05 <= scale <= 20:
        raise EditError(f"scale {scale:g} is not possible; give a factor from 0.05 to 20")
