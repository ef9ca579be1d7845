"""Where the edited objects are: as the user said, or where their words attend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.geometry.transform import Point
from realedit.objects.grounding import find_at, find_object
from realedit.objects.zoom_refinement import seen_nearer
from realedit.sampling.inverted_image import View


@dataclass(frozen=True, eq=False)
class Given:
    """Where an object of the photo is: its mask (1, 1, H, W) at the photo's size, and whether the user
    said so rather than the words."""

    mask: Tensor
    by_user: bool


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
