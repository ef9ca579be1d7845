"""What became of the objects: where they were asked to be and are, how they were turned, which cover each other."""

import math
from collections.abc import Sequence

from realedit.compositing.composite import Composite
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.evaluation.report_parts import CameraReport, ObjectReport
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import Crop
from realedit.objects.attention_probe import detect
from realedit.sampling.prompts import PromptSpans
from realedit.sampling.session import Session
from realedit.settings import Mode, Settings

UNKNOWN, NOT_ASKED = "the model does not know this object", "no model is asked"
NOT_FOUND = "not found in the result"
FOREIGN = "it comes from another photo"


def measure_objects(
    session: Session, crop: Crop, result: Photo, scene: LayeredScene, composite: Composite, prompt: PromptSpans
) -> list[ObjectReport]:
    """Where every object was asked to be by the `composite`, at the model's size, and where the model sees it in the
    `result`, the edited part of the photo, which the `prompt` describes."""
    after = result.small((composite.image.shape[-1], composite.image.shape[-2]))
    reports = []
    for edit, placed in zip(scene.objects, composite.objects, strict=True):
        span = prompt.spans.get(placed.phrase)
        found = None
        if edit.object.tokens and span and placed.target.any():
            found = detect(session, after, prompt.prompt, span)
        words = prompt.prompt[slice(*span)] if span else placed.phrase
        why = NOT_FOUND if edit.object.tokens else UNKNOWN
        reports.append(ObjectReport.of(placed.phrase, words, placed.target, found, crop, why=why))
    for placed in composite.inserted:
        reports.append(ObjectReport.of(placed.phrase, placed.phrase, placed.target, None, crop, why=FOREIGN))
    return reports


def unmeasured_objects(
    settings: Settings, crop: Crop, edits: Sequence[ObjectEdit], composite: Composite
) -> list[ObjectReport]:
    """Where every object was asked to be by the `composite`, and as what, of a photo in which the model knows none, or
    is not asked."""
    reports, why = [], NOT_ASKED if settings.mode is Mode.PIXELS else UNKNOWN
    for edit, placed in zip(edits, composite.objects, strict=True):
        words = (edit.appearance and edit.appearance.words) or placed.phrase
        reports.append(ObjectReport.of(placed.phrase, words, placed.target, None, crop, why=why))
    return reports + [
        ObjectReport.of(placed.phrase, placed.phrase, placed.target, None, crop, why=FOREIGN)
        for placed in composite.inserted
    ]


def camera_used(camera: Camera, objects: Sequence[ObjectEdit], *, given: bool) -> CameraReport | None:
    """By what objects were turned, if any was."""
    turned = any(placement.reshaped for each in objects for placement in each.placements)
    return CameraReport(math.degrees(camera.pitch), given) if turned else None


def overlaps(composite: Composite) -> list[str]:
    """Which objects cover each other after the edit."""
    pairs = []
    for i, one in enumerate(composite.everything):
        for other in composite.everything[:i]:
            if (one.target * other.target).any():
                pairs.append(f'"{other.phrase}" and "{one.phrase}"')
    return pairs
