"""An edit of what the model knows, made by the model alone: the photo is sampled again from its inverted latents under
self-guidance (arXiv 2306.00986). No pixel is set down; what lies outside the touched region is held in the latents."""

from dataclasses import replace

import torch
from torch import Tensor

from realedit.compositing.composite import Composite, PlacedObject
from realedit.compositing.effects import Effects
from realedit.compositing.effects_without_model import effects_without_model
from realedit.compositing.paste_back import paste_regenerated
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.compositing.separation import CleanPlate, around
from realedit.editing.edited_part import EditedPart, SampledPictures
from realedit.editing.full_resolution import full_scene, opacity_after
from realedit.editing.measurement import measure_objects
from realedit.editing.preparation import Preparation, with_placements
from realedit.editing.regeneration import Regions, regenerate
from realedit.editing.request import EditRequest
from realedit.evaluation.report_parts import FillReport
from realedit.geometry.correspondence import Arrival, Correspondence, Origin, warped_photo
from realedit.geometry.transform import IDENTITY
from realedit.images import resize
from realedit.inpainting.photo_fill import hole_sources
from realedit.morphology import dilate, union
from realedit.objects.grounding import other_objects
from realedit.sampling.inverted_image import InvertedCrop
from realedit.sampling.session import Session


def edit_by_regenerating(
    session: Session, request: EditRequest, prepared: Preparation, view: InvertedCrop
) -> EditedPart:
    """Make the edits of a request, none of which sets something of another photo into this one, in the part of the
    photo that is inverted."""
    inverted, image = view.inverted, view.inverted.image
    scene = _scene(session, request, prepared, view)
    regions = _regions(session, image, scene)
    gone = [(edit.mask, edit.placements) for edit in scene.objects if edit.moves or edit.leaves]
    maps = [each.cut_out(view.crop).rearranged(gone) for each in request.hints.controls]
    made = regenerate(session, inverted, scene, regions, prepared.sources, maps)
    session.progress("drawing at full size")
    full = full_scene(view.photo, scene, [each.object for each in prepared.objects])
    small = _arranged(image, scene, regions)
    final = _arranged(view.photo.tensor(), full, regions)
    drawn = torch.maximum(regions.hole, union([each.target for each in small.objects], image))
    result = paste_regenerated(
        view.photo, (made.rebuilt, made.picture), final.editable, drawn, session.settings.feather
    )
    opacity = opacity_after(view.photo, full, session.settings.margin)
    photo = view.photo.painted(result, final.editable, opacity)
    session.progress("measuring")
    objects = measure_objects(session, view.crop, photo, scene, small, made.prompt)
    sampled = SampledPictures(image, image, made.picture, made.guidance, inverted.cached, made.explanation)
    fill = FillReport("the model", "it is guided to what is around them") if regions.hole.any() else None
    camera = prepared.viewpoint.camera
    return EditedPart(view.crop, photo, camera, scene, small, full, final, objects, fill, sampled)


def _scene(session: Session, request: EditRequest, prepared: Preparation, view: InvertedCrop) -> LayeredScene:
    """The objects at the model's size and where they go, with what they leave beside them."""
    inverted = view.inverted
    objects = []
    for edit in prepared.objects:
        located = edit.object.at_size(inverted.size)
        objects.append(replace(edit, object=located, effects=Effects.none(located.mask)))
    others = tuple(other_objects(session.model, inverted, [each.object.phrase for each in objects]))
    scene = LayeredScene(tuple(objects), CleanPlate.of(inverted.image), others)
    scene = with_placements(request, prepared, scene, prepared.viewpoint, [each.object for each in prepared.objects])
    leaving = [edit for edit in scene.objects if edit.leaves]
    if not leaving or not session.settings.shadows:
        return scene
    beside = union([*(o.mask for o in scene.objects if not o.leaves), *(o.mask for o in others)], inverted.image)
    sources = [edit.mask for edit in leaving]
    found = iter(effects_without_model(inverted.image, sources, beside, session.settings.margin))
    with_effects = tuple(replace(each, effects=next(found)) if each.leaves else each for each in scene.objects)
    return replace(scene, objects=with_effects)


def _regions(session: Session, image: Tensor, scene: LayeredScene) -> Regions:
    settings = session.settings
    reach = settings.regeneration.reach
    arrivals = [
        (edit, Arrival.of(edit.mask, placement))
        for edit in scene.objects
        for placement in edit.placements
        if placement != IDENTITY
    ]
    staying = union([edit.mask for edit in scene.objects if not edit.leaves], image)
    gone = [torch.maximum(edit.mask, edit.effects.visible()) for edit in scene.objects if edit.leaves]
    left = union([dilate(each, settings.margin) for each in gone], image) * (1 - staying)
    targets = union([arrival.mask for _, arrival in arrivals], image)
    near = [around(edit.mask, reach) for edit in scene.objects if edit.leaves]
    near += [around(arrival.mask, reach) for _, arrival in arrivals]
    restyled = [dilate(edit.mask, settings.margin) for edit in scene.objects if edit.appearance is not None]
    kept = union([other.mask for other in scene.others], image) * (1 - torch.maximum(left, targets))
    filled = None
    if left.any():
        filled = Origin(hole_sources(image, left, torch.maximum(kept, staying), settings.seed), left)
    # A new look is left to the words: of such an object nothing is carried but its noise.
    carried = [arrival for edit, arrival in arrivals if edit.appearance is None]
    free = torch.maximum(union([*near, *restyled], image) * (1 - kept), torch.maximum(left, targets))
    warped = warped_photo(image, sorted(carried, key=_foot, reverse=True)) if carried else None
    objects = union([arrival.mask for arrival in carried], image)
    return Regions(left * (1 - targets), union(restyled, image), free, Correspondence(objects, filled), warped)


def _foot(arrival: Arrival) -> int:
    """The lowest row of where something is set down: what stands lower is nearer."""
    rows = arrival.mask[0, 0].any(1).nonzero()
    return int(rows[-1]) if len(rows) else -1


def _arranged(picture: Tensor, scene: LayeredScene, regions: Regions) -> Composite:
    """What is where in the edit, at the size of a picture (1, 3, H, W); the image is that of the photo."""
    size = (picture.shape[-1], picture.shape[-2])
    placed = [_placed(picture, edit) for edit in scene.objects]
    hole, free = ((resize(mask, size) > 0.5).float() for mask in (regions.hole, regions.free))
    arrived = [each.target for each, edit in zip(placed, scene.objects, strict=True) if edit.moves]
    covered = union(arrived, picture)
    return Composite(picture, tuple(placed), (), hole * (1 - covered), covered, torch.maximum(hole, covered), free)


def _placed(picture: Tensor, edit: ObjectEdit) -> PlacedObject:
    targets = [edit.mask if p == IDENTITY else Arrival.of(edit.mask, p).mask for p in edit.placements]
    target = union(targets, edit.mask)
    return PlacedObject(edit.object.phrase, target, target, picture)
