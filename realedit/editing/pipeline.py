"""Edits of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.appearance.selection import NewLook, choose_looks
from realedit.appearance.target_colours import palettes
from realedit.compositing.composite import Extra, Stage, set_stage
from realedit.editing.conditioning import Script, script_of
from realedit.editing.decomposition import Cleared, Plan, clear, make_plan
from realedit.editing.full_resolution import finish
from realedit.editing.insertion import bring
from realedit.editing.measurement import camera_used, objects_in, overlaps
from realedit.editing.object_edits import Asked, ask
from realedit.editing.request import Task
from realedit.editing.resampling import regenerate
from realedit.edits import Insert, Source
from realedit.evaluation.metrics import Perceptual
from realedit.evaluation.report import EditReport, report_on
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import AS_PHOTOS, CLOSE, Frame, frame_around, reached
from realedit.geometry.object_pose import mask_place
from realedit.geometry.transform import STAY
from realedit.objects.localisation import Given, find
from realedit.objects.source_objects import Guest, meet
from realedit.sampling.inverted_image import Seen, View, check_memory, reconstruct, view
from realedit.settings import DEFAULTS, Settings


@dataclass(frozen=True, eq=False)
class Edited:
    """The result, the mask (1, 1, H, W) of what may differ from the photo, the report, and pictures of
    the way there (1, 3 or 1, h, w)."""

    photo: Photo
    touched: Tensor
    report: EditReport
    work: dict[str, Tensor]


def _silent(label: str) -> None:
    """Report progress to nobody."""


def edit_photo(
    model: DiffusionModel,
    task: Task,
    perceptual: Perceptual,
    settings: Settings = DEFAULTS,
    on_step: Callable[[str], None] = _silent,
) -> Edited:
    """Make all edits of a task in one run of the sampler.

    Raises:
        PhraseError: a prompt does not name an edit's object exactly once.
        EditError: an object is not found, or would leave the photo, or edits contradict each other.
    """
    began = time.perf_counter()
    task.check_words(model)
    with model.metered() as meter:
        part, camera, asked, extras, guests = _look(model, task, settings, on_step)
        cleared = clear(model, part, asked, settings, lambda i: on_step("clearing"))
        camera, asked = _put_right(task, part, camera, asked, cleared)
        plan = make_plan(model, part.seen, asked, cleared, extras, settings, lambda i: on_step("clearing"))
        stage = set_stage(part.seen.small, plan.cast, settings.margin)
        script, picture, looks = _draw(model, part.seen, plan, stage, guests, settings, on_step)
        done = finish(model, part.photo, [a.given.mask for a in asked], plan, stage, picture, looks, settings)
        objects = objects_in(model, part, done, script, stage, plan, settings)
        rebuilt = reconstruct(model, part.seen.reference)
    result, touched = task.photo.with_part(part.frame.box, done.photo), part.frame.in_whole(done.stage.touched)
    report = report_on(
        before=task.photo,
        after=result,
        touched=touched,
        objects=objects,
        reconstruction=(part.seen.small, rebuilt),
        perceptual=perceptual,
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        from_cache=part.seen.from_cache,
        guidance=script.told(),
        camera=camera_used(camera, asked, given=task.pitch is not None),
        overlaps=overlaps(plan, done.stage),
    )
    work = {
        "object": torch.stack([*plan.cast.sources, torch.zeros_like(stage.hole)]).amax(0),
        "plate": plan.cast.backdrop.plate,
        "rough": script.rough,
        "hole": stage.hole,
        "touched": stage.touched,
        "generated": picture,
        "reconstruction": rebuilt,
    }
    return Edited(result, touched, report, work)


def _look(
    model: DiffusionModel, task: Task, settings: Settings, on_step: Callable[[str], None]
) -> tuple[View, Camera, list[Asked], list[Extra], dict[Source, Guest]]:
    """The part of the photo that the edits touch, the camera that took it, what they ask of the objects in it, and
    what they bring from other photos."""

    def look(frame: Frame) -> View:
        return view(model, task.photo, frame, task.prompt, settings, task.method, lambda i: on_step("inverting"))

    whole = Frame.whole(task.photo.size)
    # The whole photo need not be seen where the user says where everything is.
    known = bool(task.objects) and all(phrase in task.masks for phrase in task.objects)
    first = None if known or not task.objects else look(whole)
    given = (
        {phrase: Given(task.masks[phrase], by_user=True) for phrase in task.objects}
        if first is None
        else find(model, first, task.objects, task.masks, task.points)
    )
    guests = _guests(model, task, settings, lambda i: on_step("inverting"))
    camera = task.camera(given.values())
    asked = ask(task.edits, given, camera)
    inserts = [edit for edit in task.edits if isinstance(edit, Insert)]
    still = not inserts and all(a.placements == (STAY,) for a in asked)  # looks change, but no shadows
    reach, nearness = (0.0, CLOSE) if still else (settings.reach, AS_PHOTOS)
    places = [mask_place(a.given.mask) for a in asked]
    touched = [box for a, place in zip(asked, places, strict=True) for box in reached(place, a.placements, reach)]
    extras = []
    for edit in inserts:
        guest = guests[edit.source]
        extra, box = bring(model, guest, edit, task.photo, settings, task.method, lambda i: on_step("clearing"))
        extras.append(extra)
        touched.append(box)
    objects = [place.box for place in places]
    frame = frame_around(touched, objects or touched, task.photo.size, model.native_size, nearness)
    check_memory(frame)
    part = first if first is not None and frame.is_whole else look(frame)
    asked = [a.within(frame, frame.cut(a.given.mask)) for a in asked]
    extras = [replace(e, placement=frame.arrival(e.placement)) for e in extras]
    return part, camera, asked, extras, guests


def _put_right(
    task: Task, part: View, camera: Camera, asked: list[Asked], cleared: Cleared
) -> tuple[Camera, list[Asked]]:
    """The camera, and what is asked, now that it is seen better where things are."""
    masks = [cleared.put_right(k, a.given.mask) for k, a in enumerate(asked)]
    if all(mask is a.given.mask for mask, a in zip(masks, asked, strict=True)):
        return camera, asked
    whole = [replace(a.given, mask=part.frame.in_whole(m)) for a, m in zip(asked, masks, strict=True)]
    given = {a.phrase: known for a, known in zip(asked, whole, strict=True)}
    camera = task.camera(whole)
    return camera, [a.within(part.frame, m) for a, m in zip(ask(task.edits, given, camera), masks, strict=True)]


def _draw(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    guests: Mapping[Source, Guest],
    settings: Settings,
    on_step: Callable[[str], None],
) -> tuple[Script, Tensor, list[NewLook]]:
    """What the sampler is told, its picture (1, 3, h, w), and what new looks take from that."""
    colours = palettes(model, plan.cast.subjects, stage, guests, settings, lambda i: on_step("imagining"))
    script = script_of(model, seen, plan, stage, guests, colours, settings)
    picture = regenerate(model, seen, plan, stage, script, settings, lambda i: on_step("editing"))
    return script, picture, choose_looks(model, script, stage, picture, settings)


def _guests(
    model: DiffusionModel, task: Task, settings: Settings, on_step: Callable[[int], None]
) -> dict[Source, Guest]:
    """What the edits take from other photos."""
    guests = {}
    for edit in task.edits:
        source = edit.source if isinstance(edit, Insert) else edit.look.source if edit.look else None
        if source is not None and source not in guests:
            guests[source] = meet(model, task.others[source.photo], source.object, settings, task.method, on_step)
    return guests
