"""Where the edited objects are: as the user said, or where their words attend."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.geometry.transform import Point
from realedit.objects.grounding import object_at_point, object_by_tokens
from realedit.objects.located_object import LocatedObject
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import InvertedCrop


def locate_objects(
    model: DiffusionModel,
    whole: InvertedCrop,
    phrases: Sequence[str],
    masks: Mapping[str, Tensor],
    points: Mapping[str, Point],
) -> list[LocatedObject]:
    """Each object in the whole of a photo, at the photo's size: by the user's mask (1, 1, H, W) or point, or where its
    words attend.

    Raises:
        EditError: one is not found.
    """
    return [_located(model, whole, phrase, masks.get(phrase), points.get(phrase)) for phrase in phrases]


def _located(
    model: DiffusionModel, whole: InvertedCrop, phrase: str, mask: Tensor | None, point: Point | None
) -> LocatedObject:
    photo, inverted = whole.photo, whole.inverted
    tokens = model.positions(inverted.prompt, phrase)
    if mask is not None:
        return LocatedObject(phrase, tokens, mask, from_user=True)
    if point is not None:
        return LocatedObject(phrase, tokens, object_at_point(photo, inverted, point), from_user=True)
    coarse = object_by_tokens(photo, inverted, tokens, phrase)
    return LocatedObject(phrase, tokens, refine_by_zoom(model, photo, inverted.prompt, phrase, coarse))
