"""Where the edited objects are: as the user said, or where their words attend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.geometry.transform import Point
from realedit.objects.grounding import object_at_point, object_by_tokens
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import InvertedCrop


@dataclass(frozen=True, eq=False)
class Given:
    """Where an object of the photo is: its mask (1, 1, H, W) at the photo's size, and whether the user
    said so rather than the words."""

    mask: Tensor
    by_user: bool


def locate_objects(
    model: DiffusionModel,
    whole: InvertedCrop,
    phrases: Sequence[str],
    masks: Mapping[str, Tensor],
    points: Mapping[str, Point],
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
            found[phrase] = Given(object_at_point(whole.photo, whole.inverted, points[phrase]), by_user=True)
        else:
            prompt = whole.inverted.reference.header.prompt
            far = object_by_tokens(whole.photo, whole.inverted, model.positions(prompt, phrase), phrase)
            found[phrase] = Given(refine_by_zoom(model, whole.photo, prompt, phrase, far), by_user=False)
    return found
