"""What all edits together ask of every object that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from realedit.edits import Edit, Look, check_together
from realedit.geometry.camera import Camera
from realedit.geometry.crop import Frame
from realedit.geometry.object_pose import mask_place
from realedit.geometry.reprojection import seen_there
from realedit.geometry.transform import STAY, Place, Placement
from realedit.images import at_most, resize
from realedit.objects.localisation import Given
from realedit.objects.segmentation import FINEST


@dataclass(frozen=True, eq=False)
class Asked:
    """What all edits together ask of one object that they name: where it is, where it is to be drawn,
    and in which new look."""

    phrase: str
    given: Given
    placements: tuple[Placement, ...]
    look: Look | None

    @property
    def lifted(self) -> bool:
        """Whether it is drawn anywhere else, or nowhere."""
        return self.placements != (STAY,)

    def within(self, frame: Frame, mask: Tensor) -> "Asked":
        """The same in a part of the photo, in which the object's mask is `mask`."""
        placements = tuple(p if p == STAY else frame.placement(p) for p in self.placements)
        return replace(self, given=replace(self.given, mask=mask), placements=placements)


def ask(edits: Sequence[Edit], given: Mapping[str, Given], camera: Camera) -> list[Asked]:
    """What edits ask of every object; `given` tells where each is in the photo that the `camera` took. What goes
    elsewhere looks as it does from there.

    Raises:
        EditError: the edits contradict each other, or an object would leave the photo.
    """
    check_together(edits)
    places = {phrase: mask_place(g.mask, camera) for phrase, g in given.items()}
    placements: dict[str, tuple[Placement, ...]] = dict.fromkeys(given, (STAY,))
    looks: dict[str, Look | None] = dict.fromkeys(given)
    for edit in edits:
        placements |= dict(edit.placements(places))
        looks |= {phrase: edit.look for phrase in edit.objects if edit.look is not None}
    return [
        Asked(phrase, g, _seen_from(camera, g.mask, places[phrase], placements[phrase]), looks[phrase])
        for phrase, g in given.items()
    ]


def _seen_from(camera: Camera, mask: Tensor, place: Place, placements: Sequence[Placement]) -> tuple[Placement, ...]:
    """The placements of an object as it looks where it goes."""
    if all(p == STAY for p in placements):
        return tuple(placements)
    small = resize(mask.cpu().float(), at_most((mask.shape[-1], mask.shape[-2]), FINEST))[0, 0].numpy()
    return tuple(p if p == STAY else seen_there(p, place, small, camera) for p in placements)
