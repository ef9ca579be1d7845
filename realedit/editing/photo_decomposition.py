"""A photo taken apart without a model: what objects leave beside them is looked for in a small picture, and what lies
behind them is filled in at the photo's own size, with what the photo has."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from realedit.compositing.composite import vacated_hole
from realedit.compositing.dimmed_ground import dimmed_ground
from realedit.compositing.effects import Effects
from realedit.compositing.effects_without_model import effects_without_model
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.compositing.separation import CleanPlate
from realedit.editing.plate import PlateFill
from realedit.evaluation.report_parts import FillReport
from realedit.files.photo import Photo
from realedit.images import at_most, resize
from realedit.morphology import dilate, distance_inside, union
from realedit.settings import Settings

CARRIED_ALL, CARRIED_NONE = 0.08, 0.3  # of an object's extent: so near its shadow goes along, and from here on none
# So much a mask may be off, and its object's edge be blurred: of the photo's shorter side, and in pixels.
LEAST_MARGIN, LEAST_MARGIN_PIXELS = 0.01, 8.0
MARGIN_EXTENTS = 0.06  # of an object's extent: more than so much around its mask is not the object's
EFFECTS_SIDE = 256  # pixels of the longer side at which shadows and reflections are looked for


def decompose_photo(
    fill: PlateFill, photo: Photo, edits: Sequence[ObjectEdit]
) -> tuple[LayeredScene, FillReport | None]:
    """The scene of a photo at its own size and in its own colours, and what filled its places, if anything moves.

    Raises:
        EditError: nothing is left around an object to fill its place from.
    """
    picture, report = photo.tensor(), None
    settings = fill.session.settings
    scene = LayeredScene(tuple(_with_effects(settings, photo, edits)), CleanPlate.of(picture))
    moving = [edit for edit in scene.objects if edit.moves]
    if moving:
        staying = union([edit.mask for edit in scene.objects if not edit.moves], picture)
        gone = tuple(replace(edit, placements=()) if edit.moves else edit for edit in scene.objects)
        margin = fitting(settings, edits).margin
        dimmed = _dimmed(photo, moving, staying, margin) if settings.shadows else torch.zeros_like(staying)
        hole = vacated_hole(picture, LayeredScene(gone, CleanPlate(picture, dimmed)), margin)
        plate, report = fill(picture, hole, staying)
        left = union([dimmed, *(edit.effects.visible() * (1 - edit.mask) for edit in moving)], picture)
        scene = replace(scene, objects=tuple(map(carried, scene.objects)), clean_plate=CleanPlate(plate, left))
    return scene, report


def fitting(settings: Settings, edits: Sequence[ObjectEdit]) -> Settings:
    """Settings whose margin and seam are not wide for the largest of the objects that move: so little of what lies
    beside small objects in large photos is drawn anew."""
    masks = [edit.mask for edit in edits if edit.moves]
    if not masks:
        return settings
    side, extent = min(masks[0].shape[-2:]), max(float(mask.sum()) for mask in masks) ** 0.5
    needed = max(LEAST_MARGIN, LEAST_MARGIN_PIXELS / side, MARGIN_EXTENTS * extent / side)
    share = min(1.0, needed / settings.margin) if settings.margin else 1.0
    return replace(settings, margin=share * settings.margin, feather=share * settings.feather)


def _dimmed(photo: Photo, moving: Sequence[ObjectEdit], staying: Tensor, margin: float) -> Tensor:
    """Where (1, 1, H, W) the ground is dimmed at the feet of objects that move, and not seen to be their shadow."""
    size = at_most(photo.size, EFFECTS_SIDE)
    image, others = photo.small(size), resize(staying, size)
    covered = [dilate(resize(torch.maximum(edit.mask, edit.effects.visible()), size), margin) for edit in moving]
    return resize(union([dimmed_ground(image, each, others) for each in covered], image), photo.size)


def carried(edit: ObjectEdit) -> ObjectEdit:
    """An edit whose object takes only that part of its shadow along which lies close to it: what lies farther was cast
    by the light at the old place, and on what is there; and no shadow or reflection that the frame cuts off."""
    if not edit.moves:
        return edit
    inside = edit.mask[0, 0].numpy() > 0.5
    extent = float(inside.sum()) ** 0.5
    away = torch.from_numpy(distance_inside(~inside))[None, None] / extent
    kept = ((CARRIED_NONE - away) / (CARRIED_NONE - CARRIED_ALL)).clamp(0, 1)
    whole, effects = (_to_the_frame(edit.mask) / (CARRIED_ALL * extent)).clamp(0, 1), edit.effects
    shadow, reflection = 1 - kept * whole * (1 - effects.shadow), whole * effects.reflection
    return replace(edit, effects=Effects(shadow, reflection))


def _to_the_frame(mask: Tensor) -> Tensor:
    """How far each pixel of a picture (1, 1, H, W) is from its frame, in pixels."""
    down, across = (torch.minimum(line, line.flip(0)) for line in map(torch.arange, mask.shape[-2:]))
    return torch.minimum(down[:, None], across)[None, None]


def _with_effects(settings: Settings, photo: Photo, edits: Sequence[ObjectEdit]) -> list[ObjectEdit]:
    """The edits with what their objects leave beside them, of those that move."""
    size = at_most(photo.size, EFFECTS_SIDE)
    image = photo.small(size)
    small = [edit.object.at_size(size).mask for edit in edits]
    moving = [mask for mask, edit in zip(small, edits, strict=True) if edit.moves]
    staying = union([mask for mask, edit in zip(small, edits, strict=True) if not edit.moves], image)
    beside = staying * (1 - union(moving, image))
    effects = effects_without_model(image, moving, beside, settings.margin) if moving else []
    found = iter(effects if settings.shadows else [each.without_shadow() for each in effects])
    return [
        replace(edit, effects=next(found).resized(photo.size) if edit.moves else Effects.none(edit.mask))
        for edit in edits
    ]
