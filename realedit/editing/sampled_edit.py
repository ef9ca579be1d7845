"""An edit of what the model knows: composed at its size, new looks drawn there under self-guidance, and made once more
at the photo's own size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.phrases import find_phrase
from realedit.appearance.selection import Changes, choose_appearances, recolour_objects, requested_changes
from realedit.compositing.composite import Composite, compose, vacated_hole
from realedit.compositing.scene import LayeredScene
from realedit.editing.conditioning import plan_sampling
from realedit.editing.decomposition import corrected_objects, decompose
from realedit.editing.edited_part import EditedPart, SampledPictures
from realedit.editing.explaining import explanation
from realedit.editing.full_resolution import full_scene, render_full_resolution
from realedit.editing.measurement import measure_objects
from realedit.editing.object_edits import Viewpoint
from realedit.editing.plate import PlateFill, place_behind
from realedit.editing.preparation import Preparation, with_placements
from realedit.editing.request import EditRequest
from realedit.editing.resampling import resample
from realedit.evaluation.report_parts import FillReport, GuidanceReport
from realedit.inpainting.photo_fill import Sketch
from realedit.morphology import union
from realedit.objects.located_object import LocatedObject
from realedit.sampling.inverted_image import InvertedCrop, InvertedImage
from realedit.sampling.prompts import PromptSpans
from realedit.sampling.session import Session


def edit_by_sampling(session: Session, request: EditRequest, prepared: Preparation, view: InvertedCrop) -> EditedPart:
    """Make the edits of a request in the part of the photo that is inverted."""
    inverted = view.inverted
    session.progress("filling the old place")
    scene = decompose(session, view, prepared.objects)
    located = corrected_objects(inverted, [each.object for each in prepared.objects], scene)
    viewpoint = _corrected_viewpoint(request, prepared, located)
    scene = with_placements(request, prepared, scene, viewpoint, located)
    composite = compose(inverted.image, scene, session.settings.margin)
    if session.show is not None:
        session.show(composite.image)
    look = _new_looks(session, inverted, scene, composite, prepared)
    session.progress("drawing at full size")
    full, filled = _with_full_plate(session, request, view, full_scene(view.photo, scene, located))
    photo, final = render_full_resolution(session, view.photo, full, composite, look.generated, look.changes)
    session.progress("measuring")
    objects = measure_objects(session, view.crop, photo, scene, composite, look.prompt)
    generated = look.image if look.generated is None else look.generated
    guidance, explained, cached = look.guidance, look.explanation, inverted.cached
    sampled = SampledPictures(inverted.image, look.image, generated, guidance, cached, explained)
    return EditedPart(view.crop, photo, viewpoint.camera, scene, composite, full, final, objects, filled, sampled)


@dataclass(frozen=True, eq=False)
class _NewLooks:
    """The composite in its new colours, `image` (1, 3, h, w), what the model drew of it, `generated` (1, 3, h, w), None
    where it drew nothing, how each object takes on its new look, the `prompt` of what is to be seen, how its energies
    went, and the `explanation` of that, if the session is traced."""

    image: Tensor
    generated: Tensor | None
    changes: Changes
    prompt: PromptSpans
    guidance: GuidanceReport | None = None
    explanation: Tensor | None = None


def _new_looks(
    session: Session, inverted: InvertedImage, scene: LayeredScene, composite: Composite, prepared: Preparation
) -> _NewLooks:
    """What becomes of objects that shall look otherwise. Without one nothing is sampled: pixels that are set down need
    no model."""
    changes = requested_changes(session, scene, composite, prepared.sources)
    if not any(change is not None and change.generated for change in changes):
        recoloured, image = recolour_objects(session, composite, changes)
        caption = inverted.prompt
        named = {phrase: find_phrase(caption, phrase) for phrase in (e.object.phrase for e in scene.objects)}
        return _NewLooks(image, None, recoloured, PromptSpans(caption, named))
    session.progress("sampling")
    plan = plan_sampling(session, inverted, scene, composite, changes)
    generated = resample(session, inverted, composite, plan)
    chosen = choose_appearances(session, composite, plan.changes, plan.texts, generated)
    explained = explanation(session.model, inverted.image, plan.guidance, plan.trace)
    return _NewLooks(plan.image, generated, chosen, plan.prompt, plan.guidance_report(), explained)


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
    plate, report = fill(picture, hole, others, Sketch(scene.clean_plate.image, enlarged))
    image = torch.where(hole > 0.5, plate, scene.clean_plate.image)
    return replace(scene, clean_plate=replace(scene.clean_plate, image=image)), report


def _corrected_viewpoint(request: EditRequest, prepared: Preparation, located: Sequence[LocatedObject]) -> Viewpoint:
    """From where the camera saw the objects, estimated again if it is seen better now where they are."""
    if all(one is before.object for one, before in zip(located, prepared.objects, strict=True)):
        return prepared.viewpoint
    whole = [each.with_mask(prepared.crop.in_photo(each.mask)) for each in located]
    return Viewpoint.of(request.camera([each.mask for each in whole]), whole)
