"""Where the edited objects are, and the part of the photo around them as the model sees it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from inversion.ddim import silent
from inversion.model import DiffusionModel
from realedit.asking import Given
from realedit.files.photo import Photo
from realedit.finding import find_at, find_object
from realedit.framing import Frame
from realedit.images import working_size
from realedit.inverting import Seen, see
from realedit.memory import require
from realedit.nearer import seen_nearer
from realedit.placement import Point
from realedit.settings import Settings

EDIT_BYTES = 160  # of memory for each pixel of the part that is edited, at full size: masks, layers, blends


@dataclass(frozen=True, eq=False)
class View:
    """A part of a photo: its own pixels, and what the model sees there."""

    frame: Frame
    photo: Photo
    seen: Seen


def view(
    model: DiffusionModel,
    photo: Photo,
    frame: Frame,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None],
) -> View:
    """Look at a part of a photo at the model's own size."""
    part = photo.cropped(frame.box)
    size = working_size(part.size, model.native_size, model.pixel_multiple)
    return View(frame, part, see(model, part.small(size), prompt, settings, method, on_step))


def see_whole(
    model: DiffusionModel,
    photo: Photo,
    prompt: str,
    settings: Settings,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> Seen:
    """What the model sees in all of a photo."""
    return view(model, photo, Frame.whole(photo.size), prompt, settings, method, on_step).seen


def find(
    model: DiffusionModel, whole: View, phrases: Sequence[str], masks: Mapping[str, Tensor], points: Mapping[str, Point]
) -> dict[str, Given]:
    """Where each object is: as the user said, or where its words attend.

    Raises:
        EditError: one is not found.
    """
    found = {}
    for phrase in phrases:
        if phrase in masks:
            found[phrase] = Given(masks[phrase], by_user=True)
        elif phrase in points:
            found[phrase] = Given(find_at(whole.photo, whole.seen, points[phrase]), by_user=True)
        else:
            prompt = whole.seen.reference.header.prompt
            far = find_object(whole.photo, whole.seen, model.positions(prompt, phrase), phrase)
            found[phrase] = Given(seen_nearer(model, whole.photo, prompt, phrase, far), by_user=False)
    return found


def check_memory(frame: Frame) -> None:
    """Raises `RealEditError` if a part is too large to be edited on this machine."""
    width, height = frame.part
    advice = "make the photo smaller, or edit a smaller part of it"
    require(width * height * EDIT_BYTES, advice)
