"""Edits of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.appearance.selection import choose_appearances, requested_changes
from realedit.compositing.composite import Composite, compose
from realedit.compositing.scene import LayeredScene
from realedit.editing.conditioning import SamplingPlan, plan_sampling
from realedit.editing.decomposition import corrected_objects, decompose
from realedit.editing.full_resolution import full_scene, render_full_resolution
from realedit.editing.measurement import camera_used, measure_objects, overlaps
from realedit.editing.object_edits import Viewpoint, set_down
from realedit.editing.preparation import Preparation, prepare
from realedit.editing.request import EditRequest, Hints
from realedit.editing.resampling import resample
from realedit.edits import Edit, check_together
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.evaluation.report import EditReport, Measurements, ObjectReport
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.transform import IDENTITY
from realedit.morphology import union
from realedit.objects.located_object import LocatedObject
from realedit.sampling.inverted_image import InvertedCrop, reconstruct
from realedit.sampling.session import Progress, Session, silent
from realedit.settings import DEFAULTS, Settings


@dataclass(frozen=True, eq=False)
class EditResult:
    """An edited photo, the mask (1, 1, H, W) of what may differ from the original, the report, and `intermediates`:
    pictures of the way there, (1, 3 or 1, h, w) at the model's size, by name."""

    photo: Photo
    editable: Tensor
    report: EditReport
    intermediates: dict[str, Tensor]


def edit(
    model: DiffusionModel,
    photo: Photo,
    prompt: str,
    *edits: Edit,
    hints: Hints = Hints(),
    settings: Settings = DEFAULTS,
    perceptual: PerceptualMetric | None = None,
    progress: Progress = silent,
) -> EditResult:
    """Make all edits of a photo in one run of the sampler.

    `prompt` says what the photo shows and names every object that an edit names, once. `perceptual` judges how faithful
    the rest stayed; None: LPIPS, or what stands for it on this machine.

    Raises:
        PhraseError: the prompt does not name an edit's object exactly once.
        EditError: an object is not found, or would leave the photo, or edits contradict each other.
        RealEditError: the part that is edited is too large for this machine's memory.
    """
    began = time.perf_counter()
    request, session = EditRequest(photo, prompt, edits, hints), Session(model, settings, progress)
    check_together(edits)
    request.check_words(model)
    with model.metered() as meter:
        part = _edit_part(session, request)
    view, after = part.view, photo.with_part(part.view.crop.box, part.photo)
    editable = view.crop.in_photo(part.final.editable)
    measurements = Measurements(
        objects=part.objects,
        reconstruction=(view.inverted.image, part.reconstruction),
        guidance=part.plan.guidance_report(),
        camera=camera_used(part.camera, part.scene.objects, given=hints.pitch is not None),
        overlaps=overlaps(part.final),
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        cached=view.inverted.cached,
    )
    report = EditReport.of(photo, after, editable, measurements, perceptual or perceptual_metric(model))
    return EditResult(after, editable, report, part.intermediates())


@dataclass(frozen=True, eq=False)
class _EditedPart:
    """The part of a photo that an edit works on, edited: the `scene`, `composite` and `plan` at the model's size, what
    the model `generated` (1, 3, h, w) and its `reconstruction` of the original (1, 3, h, w); the `final` composite and
    the `photo` at the part's own size."""

    view: InvertedCrop
    camera: Camera
    scene: LayeredScene
    composite: Composite
    plan: SamplingPlan
    generated: Tensor
    reconstruction: Tensor
    final: Composite
    photo: Photo
    objects: list[ObjectReport]

    def intermediates(self) -> dict[str, Tensor]:
        return {
            "object": union([edit.mask for edit in self.scene.objects], self.composite.hole),
            "plate": self.scene.clean_plate.image,
            "rough": self.plan.image,
            "hole": self.composite.hole,
            "touched": self.composite.editable,
            "generated": self.generated,
            "reconstruction": self.reconstruction,
        }


def _edit_part(session: Session, request: EditRequest) -> _EditedPart:
    prepared = prepare(session, request)
    view, inverted = prepared.view, prepared.view.inverted
    scene = decompose(session, view, prepared.objects)
    located = corrected_objects(inverted, [each.object for each in prepared.objects], scene)
    viewpoint = _corrected_viewpoint(request, prepared, located)
    scene = _with_placements(request, prepared, scene, viewpoint, located)
    composite = compose(inverted.image, scene, session.settings.margin)
    changes = requested_changes(session, scene, composite, prepared.sources)
    plan = plan_sampling(session, inverted, scene, composite, changes)
    generated = resample(session, inverted, scene, composite, plan)
    chosen = choose_appearances(session, composite, plan.changes, plan.texts, generated)
    full = full_scene(view.photo, scene, located)
    photo, final = render_full_resolution(session, view.photo, full, composite, generated, chosen)
    objects = measure_objects(session, view.crop, photo, scene, composite, plan)
    rebuilt = reconstruct(session.model, inverted.reference)
    return _EditedPart(view, viewpoint.camera, scene, composite, plan, generated, rebuilt, final, photo, objects)


def _corrected_viewpoint(request: EditRequest, prepared: Preparation, located: Sequence[LocatedObject]) -> Viewpoint:
    """From where the camera saw the objects, estimated again if it is seen better now where they are."""
    if all(one is before.object for one, before in zip(located, prepared.objects, strict=True)):
        return prepared.viewpoint
    crop = prepared.view.crop
    whole = [each.with_mask(crop.in_photo(each.mask)) for each in located]
    return Viewpoint.of(request.camera([each.mask for each in whole]), whole)


def _with_placements(
    request: EditRequest,
    prepared: Preparation,
    scene: LayeredScene,
    viewpoint: Viewpoint,
    located: Sequence[LocatedObject],
) -> LayeredScene:
    """The scene with its objects set down where the edits put them, and with what comes from other photos."""
    crop = prepared.view.crop
    masks = {each.phrase: crop.in_photo(each.mask) for each in located}
    placements = set_down(request.edits, masks, viewpoint)
    objects = tuple(
        replace(
            each,
            placements=tuple(p if p == IDENTITY else crop.placement(p) for p in placements[each.object.phrase]),
        )
        for each in scene.objects
    )
    return replace(scene, objects=objects, inserted=prepared.inserted)
