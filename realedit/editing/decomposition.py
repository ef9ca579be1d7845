"""A photo taken apart at the model's size: what is behind the objects that move, and what these leave beside them.

The scene without them is drawn twice. First in a wide hole, in which their shadows lie: what that shows puts right the
masks that were found by words, and tells how far shadows go. Then in a hole of just what objects and effects cover.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.compositing.effects import Effects
from realedit.compositing.mask_trimming import without_shadow
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.compositing.separation import CleanPlate, around, covered_region, separate
from realedit.images import resize
from realedit.inpainting.clean_plate import clean_plate
from realedit.inpainting.plate_agreement import without_things
from realedit.morphology import dilate, union
from realedit.objects.grounding import other_objects
from realedit.objects.located_object import LocatedObject
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.background import background_prompt
from realedit.sampling.inverted_image import InvertedCrop, InvertedImage
from realedit.sampling.session import Session


def decompose(session: Session, view: InvertedCrop, edits: Sequence[ObjectEdit]) -> LayeredScene:
    """The scene of an inverted part of a photo, at the model's size; the masks of `edits` are those of the part at its
    own size.

    Raises:
        EditError: nothing is left of an object at the model's size.
    """
    inverted, margin = view.inverted, session.settings.margin
    scene = LayeredScene(
        tuple(_at_model_size(inverted, edit) for edit in edits),
        CleanPlate.of(inverted.image),
        _others(session.model, view, [edit.object.phrase for edit in edits]),
    )
    if scene.moving:
        wide = _wide_plate(session, inverted, scene)
        scene = _trimmed(inverted.image, scene, wide)
        tight = _tight_plate(session, inverted, scene, wide)
        plate, effects = separate(inverted.image, tight, _moving_masks(scene), margin)
        if not session.settings.shadows:
            effects = [each.without_shadow() for each in effects]
        scene = _with_layers(scene, plate, effects)
    return scene


def corrected_objects(
    inverted: InvertedImage, objects: Sequence[LocatedObject], scene: LayeredScene
) -> list[LocatedObject]:
    """Objects of the part at its own size, their masks changed as the decomposition changed them at the model's; the
    same objects where it changed nothing."""
    corrected = []
    for located, edit in zip(objects, scene.objects, strict=True):
        before, after = located.at_size(inverted.size).mask, edit.mask
        if torch.equal(before, after):
            corrected.append(located)
            continue
        size = located.mask.shape[-1], located.mask.shape[-2]
        more, less = (resize(change, size) > 0.5 for change in (after * (1 - before), before * (1 - after)))
        corrected.append(located.with_mask((((located.mask > 0.5) | more) & ~less).float()))
    return corrected


def _at_model_size(inverted: InvertedImage, edit: ObjectEdit) -> ObjectEdit:
    located = edit.object.at_size(inverted.size)
    return replace(edit, object=located, effects=Effects.none(located.mask))


def _others(model: DiffusionModel, view: InvertedCrop, edited: Sequence[str]) -> tuple[LocatedObject, ...]:
    """The part's other objects, seen from near."""
    if not edited:
        return ()
    prompt = view.inverted.prompt
    return tuple(
        other.with_mask(refine_by_zoom(model, view.photo, prompt, other.phrase, other.mask))
        for other in other_objects(model, view.inverted, edited)
    )


def _moving_masks(scene: LayeredScene) -> list[Tensor]:
    return [edit.mask for edit in scene.moving]


def _staying_masks(scene: LayeredScene) -> list[Tensor]:
    """The masks (1, 1, h, w) of all objects that stay, without what moves."""
    free = 1 - union(_moving_masks(scene), scene.clean_plate.image)
    masks = [edit.mask for edit in scene.objects if not edit.moves]
    return [mask * free for mask in (*masks, *(other.mask for other in scene.others))]


def _beside(scene: LayeredScene) -> Tensor:
    """Where anything stays that is no background."""
    return union(_staying_masks(scene), scene.clean_plate.image)


def _wide_plate(session: Session, inverted: InvertedImage, scene: LayeredScene) -> Tensor:
    """The scene (1, 3, h, w) without what moves, drawn wherever its shadows may lie."""
    settings, beside = session.settings, _beside(scene)
    reach = union([around(mask, settings.reach) for mask in _moving_masks(scene)], inverted.image)
    hole = dilate(reach, settings.margin) * (1 - beside)
    return clean_plate(session, inverted, background_prompt(inverted.prompt, scene.phrases), hole, beside)


def _tight_plate(session: Session, inverted: InvertedImage, scene: LayeredScene, wide: Tensor) -> Tensor:
    """The same, drawn in a hole of just what objects and their effects cover, as the `wide` plate tells; without the
    things that a model drew there and not in the wide one."""
    staying, beside = _staying_masks(scene), _beside(scene)
    covered = covered_region(inverted.image, wide, _moving_masks(scene), staying)
    hole = dilate(covered, session.settings.margin) * (1 - beside)
    plate = clean_plate(session, inverted, background_prompt(inverted.prompt, scene.phrases), hole, beside)
    return without_things(plate, wide, hole)


def _trimmed(image: Tensor, scene: LayeredScene, plate: Tensor) -> LayeredScene:
    """The scene with the masks of moving objects that were found by words put right by the scene without them."""
    beside = _beside(scene)
    objects = []
    for edit in scene.objects:
        if edit.moves and not edit.object.from_user:
            near = union([other.mask for other in scene.moving if other is not edit], beside)
            edit = edit.with_mask(without_shadow(image, plate, edit.mask, torch.maximum(near, beside)))
        objects.append(edit)
    return replace(scene, objects=tuple(objects))


def _with_layers(scene: LayeredScene, plate: CleanPlate, effects: Sequence[Effects]) -> LayeredScene:
    """The scene with its clean plate, and the effects of what moves, in turn."""
    found = iter(effects)
    objects = tuple(replace(edit, effects=next(found)) if edit.moves else edit for edit in scene.objects)
    return replace(scene, objects=objects, clean_plate=plate)
