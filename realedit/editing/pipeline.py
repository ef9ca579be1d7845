"""Edits of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.appearance.selection import AppearanceChange, choose_appearances
from realedit.appearance.target_colours import target_colours
from realedit.compositing.composite import Composite, InsertedObject, compose
from realedit.editing.conditioning import SamplingPlan, plan_sampling
from realedit.editing.decomposition import Cleared, Plan, decompose_wide, make_plan
from realedit.editing.full_resolution import render_full_resolution
from realedit.editing.insertion import extract_insert
from realedit.editing.measurement import camera_used, measure_objects, overlaps
from realedit.editing.object_edits import Asked, resolve_edits
from realedit.editing.request import EditRequest
from realedit.editing.resampling import resample
from realedit.edits import Insert, ObjectSource
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.report import EditReport, report_on
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import CLOSE_ZOOM, NATURAL_ZOOM, Crop, crop_around, touched_boxes
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import IDENTITY
from realedit.objects.localisation import Given, locate_objects
from realedit.objects.source_objects import SourceObject, locate_source_object
from realedit.sampling.inverted_image import InvertedCrop, InvertedImage, check_memory, invert_crop, reconstruct
from realedit.settings import DEFAULTS, Settings


@dataclass(frozen=True, eq=False)
class EditResult:
    """The result, the mask (1, 1, H, W) of what may differ from the photo, the report, and pictures of
    the way there (1, 3 or 1, h, w)."""

    photo: Photo
    editable: Tensor
    report: EditReport
    intermediates: dict[str, Tensor]


def _silent(label: str) -> None:
    """Report progress to nobody."""


def edit_photo(
    model: DiffusionModel,
    task: EditRequest,
    perceptual: PerceptualMetric,
    settings: Settings = DEFAULTS,
    on_step: Callable[[str], None] = _silent,
) -> EditResult:
    """Make all edits of a task in one run of the sampler.

    Raises:
        PhraseError: a prompt does not name an edit's object exactly once.
        EditError: an object is not found, or would leave the photo, or edits contradict each other.
    """
    began = time.perf_counter()
    task.check_words(model)
    with model.metered() as meter:
        part, camera, asked, extras, guests = _look(model, task, settings, on_step)
        cleared = decompose_wide(model, part, asked, settings, lambda i: on_step("clearing"))
        camera, asked = _put_right(task, part, camera, asked, cleared)
        plan = make_plan(model, part.inverted, asked, cleared, extras, settings, lambda i: on_step("clearing"))
        stage = compose(part.inverted.image, plan.cast, settings.margin)
        script, picture, looks = _draw(model, part.inverted, plan, stage, guests, settings, on_step)
        done = render_full_resolution(
            model, part.photo, [a.given.mask for a in asked], plan, stage, picture, looks, settings
        )
        objects = measure_objects(model, part, done, script, stage, plan, settings)
        rebuilt = reconstruct(model, part.inverted.reference)
    result, touched = task.photo.with_part(part.crop.box, done.photo), part.crop.in_photo(done.stage.touched)
    report = report_on(
        before=task.photo,
        after=result,
        touched=touched,
        objects=objects,
        reconstruction=(part.inverted.image, rebuilt),
        perceptual=perceptual,
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        from_cache=part.inverted.cached,
        guidance=script.guidance_report(),
        camera=camera_used(camera, asked, given=task.pitch is not None),
        overlaps=overlaps(plan, done.stage),
    )
    work = {
        "object": torch.stack([*plan.cast.sources, torch.zeros_like(stage.hole)]).amax(0),
        "plate": plan.cast.backdrop.image,
        "rough": script.rough,
        "hole": stage.hole,
        "touched": stage.touched,
        "generated": picture,
        "reconstruction": rebuilt,
    }
    return EditResult(result, touched, report, work)


def _look(
    model: DiffusionModel, task: EditRequest, settings: Settings, on_step: Callable[[str], None]
) -> tuple[InvertedCrop, Camera, list[Asked], list[InsertedObject], dict[ObjectSource, SourceObject]]:
    """The part of the photo that the edits touch, the camera that took it, what they ask of the objects in it, and
    what they bring from other photos."""

    def look(frame: Crop) -> InvertedCrop:
        return invert_crop(model, task.photo, frame, task.prompt, settings, task.method, lambda i: on_step("inverting"))

    whole = Crop.whole(task.photo.size)
    # The whole photo need not be seen where the user says where everything is.
    known = bool(task.objects) and all(phrase in task.masks for phrase in task.objects)
    first = None if known or not task.objects else look(whole)
    given = (
        {phrase: Given(task.masks[phrase], by_user=True) for phrase in task.objects}
        if first is None
        else locate_objects(model, first, task.objects, task.masks, task.points)
    )
    guests = _guests(model, task, settings, lambda i: on_step("inverting"))
    camera = task.camera(given.values())
    asked = resolve_edits(task.edits, given, camera)
    inserts = [edit for edit in task.edits if isinstance(edit, Insert)]
    still = not inserts and all(a.placements == (IDENTITY,) for a in asked)  # looks change, but no shadows
    reach, nearness = (0.0, CLOSE_ZOOM) if still else (settings.reach, NATURAL_ZOOM)
    places = [object_pose(a.given.mask) for a in asked]
    touched = [box for a, place in zip(asked, places, strict=True) for box in touched_boxes(place, a.placements, reach)]
    extras = []
    for edit in inserts:
        guest = guests[edit.source]
        extra, box = extract_insert(
            model, guest, edit, task.photo, settings, task.method, lambda i: on_step("clearing")
        )
        extras.append(extra)
        touched.append(box)
    objects = [place.box for place in places]
    frame = crop_around(touched, objects or touched, task.photo.size, model.native_size, nearness)
    check_memory(frame)
    part = first if first is not None and frame.is_whole else look(frame)
    asked = [a.within(frame, frame.cut_out(a.given.mask)) for a in asked]
    extras = [replace(e, placement=frame.inserted_placement(e.placement)) for e in extras]
    return part, camera, asked, extras, guests


def _put_right(
    task: EditRequest, part: InvertedCrop, camera: Camera, asked: list[Asked], cleared: Cleared
) -> tuple[Camera, list[Asked]]:
    """The camera, and what is asked, now that it is seen better where things are."""
    masks = [cleared.put_right(k, a.given.mask) for k, a in enumerate(asked)]
    if all(mask is a.given.mask for mask, a in zip(masks, asked, strict=True)):
        return camera, asked
    whole = [replace(a.given, mask=part.crop.in_photo(m)) for a, m in zip(asked, masks, strict=True)]
    given = {a.phrase: known for a, known in zip(asked, whole, strict=True)}
    camera = task.camera(whole)
    return camera, [
        a.within(part.crop, m) for a, m in zip(resolve_edits(task.edits, given, camera), masks, strict=True)
    ]


def _draw(
    model: DiffusionModel,
    seen: InvertedImage,
    plan: Plan,
    stage: Composite,
    guests: Mapping[ObjectSource, SourceObject],
    settings: Settings,
    on_step: Callable[[str], None],
) -> tuple[SamplingPlan, Tensor, list[AppearanceChange]]:
    """What the sampler is told, its picture (1, 3, h, w), and what new looks take from that."""
    colours = target_colours(model, plan.cast.subjects, stage, guests, settings, lambda i: on_step("imagining"))
    script = plan_sampling(model, seen, plan, stage, guests, colours, settings)
    picture = resample(model, seen, plan, stage, script, settings, lambda i: on_step("editing"))
    return script, picture, choose_appearances(model, script, stage, picture, settings)


def _guests(
    model: DiffusionModel, task: EditRequest, settings: Settings, on_step: Callable[[int], None]
) -> dict[ObjectSource, SourceObject]:
    """What the edits take from other photos."""
    guests = {}
    for edit in task.edits:
        source = edit.source if isinstance(edit, Insert) else edit.appearance.source if edit.appearance else None
        if source is not None and source not in guests:
            guests[source] = locate_source_object(
                model, task.others[source.photo], source.object, settings, task.method, on_step
            )
    return guests
