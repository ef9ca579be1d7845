"""The result of an edit as the judge needs it, which knows pictures and masks alone."""

import torch
from torch import Tensor

from realedit.compositing.scene import InsertedObject, LayeredScene, ObjectEdit
from realedit.editing.edited_part import EditedPart
from realedit.evaluation.judge import JudgedEdit, JudgedObject, judge
from realedit.evaluation.verdict import Verdict
from realedit.files.photo import Photo
from realedit.geometry.transform import IDENTITY, Placement
from realedit.geometry.warp import warp
from realedit.images import at_most, resize

COMPARED_AT = 768  # pixels of the longer side at which objects are compared with what arrived


def judged(before: Photo, part: EditedPart) -> Verdict:
    """What is to be seen in an edited part against the photo `before`, at the part's own size."""
    one, two = (photo.colours.to_srgb(photo.tensor()) for photo in (before, part.photo))
    scene = part.full
    objects = [_judged(one, edit, scene) for edit in scene.objects]
    objects += [_brought(two, each, scene) for each in scene.inserted]
    return judge(JudgedEdit(one, two, part.final.hole, objects, part.final.covered))


def _judged(photo: Tensor, edit: ObjectEdit, scene: LayeredScene) -> JudgedObject:
    copies = [_set_down(photo, photo, edit.mask, p, scene.front) for p in edit.placements if p != IDENTITY]
    return JudgedObject(edit.object.phrase, edit.mask, copies, edit.appearance is not None)


def _brought(photo: Tensor, each: InsertedObject, scene: LayeredScene) -> JudgedObject:
    own = each.layer.colour
    return JudgedObject(
        each.phrase, each.mask, [_set_down(photo, own, each.mask, each.placement, scene.front)], photo=own
    )


def _set_down(
    photo: Tensor, source: Tensor, mask: Tensor, placement: Placement, front: Tensor | None
) -> tuple[Tensor, Tensor]:
    """An object of the `source` (1, 3, h, w) as it was to be in a `photo` (1, 3, H, W), and how much it covers there
    (1, 1, H, W)."""
    size = at_most((photo.shape[-1], photo.shape[-2]), COMPARED_AT)
    photo, small = resize(photo, size), at_most((source.shape[-1], source.shape[-2]), COMPARED_AT)
    source, mask, front = resize(source, small), resize(mask, small), front if front is None else resize(front, size)
    opacity = warp(mask, placement, size=size)
    pixels = warp(source * mask, placement, size=size) / opacity.clamp(min=1e-3)
    seen = opacity if front is None else opacity * (1 - front)
    return torch.where(opacity > 0, pixels.clamp(0, 1), photo), seen
