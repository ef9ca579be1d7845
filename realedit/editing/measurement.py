"""What became of the objects: where they were asked to be and are, how they were turned, which cover each other."""

import math
from collections.abc import Sequence

from inversion.model import DiffusionModel
from realedit.compositing.composite import Composite
from realedit.editing.conditioning import SamplingPlan
from realedit.editing.decomposition import Plan
from realedit.editing.full_resolution import Finished
from realedit.editing.object_edits import Asked
from realedit.evaluation.report import CameraReport, ObjectReport
from realedit.geometry.camera import Camera
from realedit.objects.attention_probe import detect
from realedit.sampling.inverted_image import InvertedCrop
from realedit.settings import Settings

UNKNOWN = "the model does not know this object"


def measure_objects(
    model: DiffusionModel,
    part: InvertedCrop,
    done: Finished,
    script: SamplingPlan,
    stage: Composite,
    plan: Plan,
    settings: Settings,
) -> list[ObjectReport]:
    """Where every object was asked to be, and where the model sees it in the result."""
    after = done.photo.small((stage.image.shape[-1], stage.image.shape[-2]))
    names = [s.phrase for s in plan.cast.subjects] + [e.phrase for e in plan.cast.extras]
    reports = []
    for k, (name, target) in enumerate(zip(names, stage.targets, strict=True)):
        span = script.prompt.spans.get(name)
        own = k < len(plan.cast.subjects)
        known = own and bool(plan.cast.subjects[k].words)
        sight = None
        if known and span and target.any():
            sight = detect(model, after, script.prompt.prompt, span, settings)
        why = "not found in the result" if known else UNKNOWN if own else "it comes from another photo"
        words = script.prompt.prompt[slice(*span)] if span else name
        reports.append(ObjectReport.of(name, words, target, sight, part.crop, why=why))
    return reports


def camera_used(camera: Camera, asked: Sequence[Asked], *, given: bool) -> CameraReport | None:
    """By what objects were turned, if any was."""
    turned = any(placement.reshaped for each in asked for placement in each.placements)
    return CameraReport(math.degrees(camera.pitch), given) if turned else None


def overlaps(plan: Plan, stage: Composite) -> list[str]:
    """Which objects cover each other after the edit."""
    names = [s.phrase for s in plan.cast.subjects] + [e.phrase for e in plan.cast.extras]
    pairs = []
    for i, one in enumerate(stage.targets):
        for j in range(i):
            if (one * stage.targets[j]).any():
                pairs.append(f'"{names[j]}" and "{names[i]}"')
    return pairs
