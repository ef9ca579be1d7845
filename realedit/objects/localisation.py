"""Where an object is in a photo that the model knows: where its words attend."""

from inversion.model import DiffusionModel
from realedit.objects.grounding import object_by_tokens
from realedit.objects.located_object import LocatedObject
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import InvertedCrop


def locate_object(model: DiffusionModel, whole: InvertedCrop, phrase: str) -> LocatedObject:
    """The object that a phrase of the prompt names, at the size of the photo of which this is the `whole`.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    photo, inverted = whole.photo, whole.inverted
    tokens = model.positions(inverted.prompt, phrase)
    coarse = object_by_tokens(model, photo, inverted, tokens, phrase)
    return LocatedObject(phrase, tokens, refine_by_zoom(model, photo, inverted.prompt, phrase, coarse))
