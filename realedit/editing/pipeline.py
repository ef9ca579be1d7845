"""Edits of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from dataclasses import dataclass

from torch import Tensor

from inversion.metering import Meter
from inversion.model import DiffusionModel
from realedit.editing.measurement import camera_used, overlaps
from realedit.editing.modes import Attempt, ShowPart, attempt
from realedit.editing.request import EditRequest, Hints
from realedit.edits import Edit, check_together
from realedit.evaluation.metrics import FindMetric, PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.evaluation.report import EditReport, Measurements
from realedit.files.photo import Photo
from realedit.inpainting.filler import AutomaticFill, FillChoice, Filler, GivenFill, load_filler
from realedit.sampling.session import Progress, Session, silent
from realedit.settings import DEFAULTS, Settings


@dataclass(frozen=True, eq=False)
class EditResult:
    """An edited photo, the mask (1, 1, H, W) of what may differ from the original, the report, and `intermediates`:
    pictures of the way there, (1, 3 or 1, h, w) at the model's size, by name; an `explanation` is at its own."""

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
    fill: FillChoice | Filler = AutomaticFill(),
    settings: Settings = DEFAULTS,
    perceptual: PerceptualMetric | FindMetric | None = None,
    progress: Progress = silent,
    preview: ShowPart | None = None,
    explain: bool = False,
) -> EditResult:
    """Make all edits of a photo in one run of the sampler.

    `prompt` says what the photo shows and names every object that an edit names, once. `fill` says what old places are
    filled with, as a choice or as what is loaded for it (`load_filler`). `perceptual`, or what it gives, judges how
    faithful the rest stayed where that changed; None: LPIPS, or what stands for it on this machine. `preview` is shown
    the composite, and every second picture that the model draws of it, as (1, 3, h, w) in sRGB with the box in pixels
    that it fills. `explain`: the intermediates get an `explanation`, a picture of how guidance went, where there was
    any.

    Raises:
        PhraseError: the prompt does not name an edit's object exactly once.
        EditError: an object is not found, or would leave the photo, or edits contradict each other.
        ModelError: what shall fill old places cannot be had.
        RealEditError: the part that is edited is too large for this machine's memory.
    """
    began = time.perf_counter()
    check_together(edits)
    if isinstance(fill, GivenFill):
        fill = load_filler(fill, str(model.device))
    request = EditRequest(photo, prompt, edits, hints, fill)
    request.check_words(model)
    with model.metered() as meter:
        session = Session(model, settings, progress, traced=explain, maps=hints.read)
        found = attempt(session, request, preview)
    part = found.part
    after = photo.with_part(part.crop.box, part.photo)
    editable = part.crop.in_photo(part.final.editable)
    measured = _measured(request, found, meter, time.perf_counter() - began)
    report = EditReport.of(photo, after, editable, measured, perceptual or (lambda: perceptual_metric(model)))
    return EditResult(after, editable, report, part.intermediates())


def _measured(request: EditRequest, found: Attempt, meter: Meter, seconds: float) -> Measurements:
    part, sampled = found.part, found.part.sampled
    return Measurements(
        objects=tuple(part.objects),
        guidance=sampled.guidance if sampled else None,
        camera=camera_used(part.camera, part.scene.objects, given=request.hints.pitch is not None),
        overlaps=tuple(overlaps(part.final)),
        evaluations=meter.forward_equivalents,
        network_seconds=meter.network_seconds,
        seconds=seconds,
        from_cache=sampled is not None and sampled.cached,
        fill=part.fill,
        verdict=found.verdict,
        mode=found.mode,
    )
