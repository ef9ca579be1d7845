"""An edit of what the model knows: composed at its size, sampled again under self-guidance, and made once more at the
photo's own size."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from realedit.appearance.selection import choose_appearances, requested_changes
from realedit.compositing.composite import compose, vacated_hole
from realedit.compositing.scene import LayeredScene
from realedit.editing.conditioning import plan_sampling
from realedit.editing.decomposition import corrected_objects, decompose
from realedit.editing.edited_part import EditedPart, SampledPictures
from realedit.editing.full_resolution import full_scene, render_full_resolution
from realedit.editing.measurement import measure_objects
from realedit.editing.object_edits import Viewpoint
from realedit.editing.plate import Drawn, PlateFill, place_behind
from realedit.editing.preparation import Preparation, with_placements
from realedit.editing.request import EditRequest
from realedit.editing.resampling import resample
from realedit.evaluation.report import FillReport
from realedit.morphology import union
from realedit.objects.located_object import LocatedObject
from realedit.sampling.inverted_image import InvertedCrop, reconstruct
from realedit.sampling.session import Session


def edit_by_sampling(session: Session, request: EditRequest, prepared: Preparation, view: InvertedCrop) -> EditedPart:
    """Make the edits of a request in the part of the photo that is inverted."""
    inverted = view.inverted
    session.progress("filling the old place")
    scene = decompose(session, view, prepared.objects)
    located = corrected_objects(inverted, [each.object for each in prepared.objects], scene)
    viewpoint = _corrected_viewpoint(request, prepared, located)
    scene = with_placements(request, prepared, scene, viewpoint, located)
    session.progress("sampling")
    composite = compose(inverted.image, scene, session.settings.margin)
    changes = requested_changes(session, scene, composite, prepared.sources)
    plan = plan_sampling(session, inverted, scene, composite, changes)
    generated = resample(session, inverted, scene, composite, plan)
    chosen = choose_appearances(session, composite, plan.changes, plan.texts, generated)
    session.progress("drawing at full size")
    full, filled = _with_full_plate(session, request, view, full_scene(view.photo, scene, located))
    photo, final = render_full_resolution(session, view.photo, full, composite, generated, chosen)
    session.progress("measuring")
    objects = measure_objects(session, view.crop, photo, scene, composite, plan.prompt)
    rebuilt = reconstruct(session.model, inverted.reference)
    guidance = plan.guidance_report()
    sampled = SampledPictures(inverted.image, plan.image, generated, rebuilt, guidance, inverted.cached)
    return EditedPart(view.crop, photo, viewpoint.camera, scene, composite, full, final, objects, filled, sampled)


def _with_full_plate(
    session: Session, request: EditRequest, view: InvertedCrop, scene: LayeredScene
) -> tuple[LayeredScene, FillReport | None]:
    """A full scene with its old places filled at the photo's size; and by what, if there are any."""
    if not any(edit.leaves for edit in scene.objects):
        return scene, None
    picture = view.photo.tensor()
    hole = vacated_hole(picture, scene, session.settings.margin)
    others = union([edit.mask for edit in scene.objects if not edit.leaves], picture)
    enlarged = picture.shape[-1] / view.inverted.size[0]
    fill = PlateFill(session, request.fill, place_behind(request.prompt, scene.phrases))
    plate, report = fill(picture, hole, others, Drawn(scene.clean_plate.image, enlarged))
    image = torch.where(hole > 0.5, plate, scene.clean_plate.image)
    return replace(scene, clean_plate=replace(scene.clean_plate, image=image)), report


def _corrected_viewpoint(request: EditRequest, prepared: Preparation, located: Sequence[LocatedObject]) -> Viewpoint:
    """From where the camera saw the objects, estimated again if it is seen better now where they are."""
    if all(one is before.object for one, before in zip(located, prepared.objects, strict=True)):
        return prepared.viewpoint
    whole = [each.with_mask(prepared.crop.in_photo(each.mask)) for each in located]
    return Viewpoint.of(request.camera([each.mask for each in whole]), whole)
