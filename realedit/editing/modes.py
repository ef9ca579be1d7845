"""In which mode an edit is made: of the photo's own pixels, or by the model alone; chosen, or as results tell."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.errors import EditError
from realedit.editing.edited_part import EditedPart
from realedit.editing.judgement import judged
from realedit.editing.measurement import NOT_ASKED
from realedit.editing.photo_edit import edit_photo
from realedit.editing.preparation import FINDING, Preparation, prepare
from realedit.editing.regenerated_edit import edit_by_regenerating
from realedit.editing.request import EditRequest
from realedit.editing.sampled_edit import edit_by_sampling
from realedit.edits import Insert
from realedit.evaluation.report_parts import ModeReport
from realedit.evaluation.verdict import Verdict, worst
from realedit.files.photo import Pixels
from realedit.sampling.inverted_image import InvertedCrop
from realedit.sampling.session import Session
from realedit.settings import Mode

ASKED = "as asked"
ShowPart = Callable[[Tensor, Pixels], None]
"""Shown an early picture (1, 3, h, w) in sRGB of the part of a photo inside a box in pixels, at whatever size."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """An edited part, what is to be seen of it, and how it came about."""

    part: EditedPart
    verdict: Verdict
    mode: ModeReport


def attempt(session: Session, request: EditRequest, preview: ShowPart | None = None) -> Attempt:
    """Make the edits of a request in the mode that the session's settings name; `preview` is shown early pictures.

    Raises:
        EditError: the model shall regenerate what it does not know, or what comes from another photo, or follow a map
            of another shape.
    """
    mode = session.settings.mode
    if mode is Mode.REGENERATE and any(isinstance(edit, Insert) for edit in request.edits):
        # It has no noise in this photo to start from; said before anything slow is done.
        raise EditError("what comes from another photo cannot be regenerated in this one; give --mode composite")
    for control in request.hints.controls:
        control.check(request.photo.size)
    session.progress(FINDING)
    prepared = prepare(session, request)
    if preview is not None:
        session = replace(session, show=functools.partial(_in_box, preview, prepared.crop.box))
    if prepared.view is None:
        if mode is Mode.REGENERATE:
            raise EditError("the model does not know all that is edited, so it cannot regenerate it; try --mode auto")
        part = edit_photo(session, request, prepared)
        why = NOT_ASKED if mode is Mode.PIXELS else "the model does not know all that is edited"
        return _judged(request, part, Mode.PIXELS.value, why)
    if mode is Mode.REGENERATE:
        return _regenerated(session, request, prepared, prepared.view, ASKED)
    part = edit_by_sampling(session, request, prepared, prepared.view)
    why = ASKED if mode is Mode.COMPOSITE else "nothing is to be seen that says it failed"
    composed = _judged(request, part, Mode.COMPOSITE.value, why)
    if mode is Mode.COMPOSITE or not composed.verdict.failed or prepared.inserted:
        return composed
    return _better(composed, _regenerated(session, request, prepared, prepared.view, "the composite failed"))


def _in_box(preview: ShowPart, box: Pixels, picture: Tensor) -> None:
    preview(picture, box)


def _regenerated(
    session: Session, request: EditRequest, prepared: Preparation, view: InvertedCrop, why: str
) -> Attempt:
    return _judged(request, edit_by_regenerating(session, request, prepared, view), Mode.REGENERATE.value, why)


def _judged(request: EditRequest, part: EditedPart, name: str, why: str) -> Attempt:
    return Attempt(part, judged(request.photo.cropped(part.crop.box), part), ModeReport(name, why))


def _better(composed: Attempt, regenerated: Attempt) -> Attempt:
    """What was regenerated, where less is to be said against it."""
    one, two = composed.verdict.level, regenerated.verdict.level
    if one is not two and worst(one, two) is one:
        return regenerated
    why = "it failed, and so did what the model regenerated"
    return Attempt(composed.part, composed.verdict, ModeReport(composed.mode.name, why))
