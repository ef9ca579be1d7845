"""What all edits together ask of every object that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from realedit.edits import Appearance, Edit, check_together
from realedit.geometry.camera import Camera
from realedit.geometry.crop import Crop
from realedit.geometry.object_pose import object_pose
from realedit.geometry.reprojection import reproject
from realedit.geometry.transform import IDENTITY, ObjectPose, Placement
from realedit.images import at_most, resize
from realedit.objects.localisation import Given
from realedit.objects.segmentation import FINEST_SIDE


@dataclass(frozen=True, eq=False)
class Asked:
    """What all edits together ask of one object that they name: where it is, where it is to be drawn,
    and in which new look."""

    phrase: str
    given: Given
    placements: tuple[Placement, ...]
    look: Appearance | None

    @property
    def lifted(self) -> bool:
        """Whether it is drawn anywhere else, or nowhere."""
        return self.placements != (IDENTITY,)

    def within(self, frame: Crop, mask: Tensor) -> "Asked":
        """The same in a part of the photo, in which the object's mask is `mask`."""
        placements = tuple(p if p == IDENTITY else frame.placement(p) for p in self.placements)
        return replace(self, given=replace(self.given, mask=mask), placements=placements)


def resolve_edits(edits: Sequence[Edit], given: Mapping[str, Given], camera: Camera) -> list[Asked]:
    """What edits ask of every object; `given` tells where each is in the photo that the `camera` took. What goes
    elsewhere looks as it does from there.

    Raises:
        EditError: the edits contradict each other, or an object would leave the photo.
    """
    check_together(edits)
    places = {phrase: object_pose(g.mask, camera) for phrase, g in given.items()}
    placements: dict[str, tuple[Placement, ...]] = dict.fromkeys(given, (IDENTITY,))
    looks: dict[str, Appearance | None] = dict.fromkeys(given)
    for edit in edits:
        placements |= dict(edit.placements(places))
        looks |= {phrase: edit.appearance for phrase in edit.objects if edit.appearance is not None}
    return [
        Asked(phrase, g, _seen_from(camera, g.mask, places[phrase], placements[phrase]), looks[phrase])
        for phrase, g in given.items()
    ]


def _seen_from(
    camera: Camera, mask: Tensor, place: ObjectPose, placements: Sequence[Placement]
) -> tuple[Placement, ...]:
    """The placements of an object as it looks where it goes."""
    if all(p == IDENTITY for p in placements):
        return tuple(placements)
    small = resize(mask.cpu().float(), at_most((mask.shape[-1], mask.shape[-2]), FINEST_SIDE))[0, 0].numpy()
    return tuple(p if p == IDENTITY else reproject(p, place, small, camera) for p in placements)
