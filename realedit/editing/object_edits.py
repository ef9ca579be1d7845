"""What all edits together ask of every object that they name, and where that puts it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from realedit.compositing.effects import Effects
from realedit.compositing.scene import ObjectEdit
from realedit.edits import Edit
from realedit.geometry.boxes import mask_box
from realedit.geometry.camera import Camera
from realedit.geometry.crop import touched_boxes
from realedit.geometry.object_pose import object_pose
from realedit.geometry.reprojection import facing_camera, reproject
from realedit.geometry.transform import IDENTITY, Box, ObjectPose, Placement
from realedit.images import resize
from realedit.objects.located_object import LocatedObject
from realedit.objects.segmentation import fine_size


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """The `camera` that took a photo, and the `poses` in which it saw the objects, by their phrases."""

    camera: Camera
    poses: Mapping[str, ObjectPose]

    @classmethod
    def of(cls, camera: Camera, objects: Iterable[LocatedObject]) -> "Viewpoint":
        return cls(camera, {each.phrase: object_pose(each.mask, camera) for each in objects})

    def of_flat_things(self) -> "Viewpoint":
        """The same of things that are not known to be solid: where they go they are as they were seen, and not bent."""
        return replace(self, poses={phrase: replace(pose, primitive=None) for phrase, pose in self.poses.items()})

    def placements(self, edits: Sequence[Edit]) -> dict[str, tuple[Placement, ...]]:
        """Where the edits draw each object, which faces the camera there as it does here.

        Raises:
            EditError: an object would leave the photo.
        """
        found: dict[str, tuple[Placement, ...]] = dict.fromkeys(self.poses, (IDENTITY,))
        for edit in edits:
            found |= edit.placements(self.poses)
        return {
            phrase: tuple(p if p == IDENTITY else facing_camera(p, self.camera) for p in placements)
            for phrase, placements in found.items()
        }

    def touched_boxes(self, edits: Sequence[Edit], reach: float) -> list[Box]:
        """The boxes that the edits touch: where objects are and where they go, each grown by `reach` of its extent."""
        return [
            box
            for phrase, placements in self.placements(edits).items()
            for box in touched_boxes(self.poses[phrase].box, placements, reach)
        ]


def taken_out(edits: Sequence[Edit], objects: Sequence[LocatedObject]) -> list[ObjectEdit]:
    """What the edits ask of every object, before it is known where it goes: those that move are set down nowhere
    yet."""
    moving = {phrase for edit in edits if edit.appearance is None for phrase in edit.objects}
    appearances = {phrase: edit.appearance for edit in edits if edit.appearance for phrase in edit.objects}
    return [
        ObjectEdit(
            located,
            placements=() if located.phrase in moving else (IDENTITY,),
            appearance=appearances.get(located.phrase),
            effects=Effects.none(located.mask),
        )
        for located in objects
    ]


def set_down(
    edits: Sequence[Edit], masks: Mapping[str, Tensor], viewpoint: Viewpoint
) -> dict[str, tuple[Placement, ...]]:
    """Where the edits draw each object, as it looks there; by the objects' phrases. `masks` (1, 1, H, W) tell where
    they are in the whole photo.

    Raises:
        EditError: an object would leave the photo.
    """
    return {
        phrase: _reprojected(masks[phrase], placements, viewpoint.poses[phrase], viewpoint.camera)
        for phrase, placements in viewpoint.placements(edits).items()
    }


def _reprojected(
    mask: Tensor, placements: tuple[Placement, ...], pose: ObjectPose, camera: Camera
) -> tuple[Placement, ...]:
    if all(placement == IDENTITY for placement in placements):
        return placements
    small = resize(mask.cpu().float(), fine_size((mask.shape[-1], mask.shape[-2])))[0, 0].numpy()
    return tuple(p if p == IDENTITY else reproject(p, pose, small, camera) for p in placements)


def boxes_of(objects: Iterable[LocatedObject]) -> list[Box]:
    """The box around each object."""
    return [mask_box(each.mask) for each in objects]
