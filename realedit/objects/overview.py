"""What the model sees in a photo: every phrase of the prompt with its place, size and attention."""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.files.contact_sheet import contact_sheet
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box, mask_centre
from realedit.geometry.transform import Box, Point
from realedit.images import to_bytes
from realedit.objects.attention_probe import probe
from realedit.objects.grounding import prominence, prominent, unique_phrases
from realedit.objects.segmentation import ATTENDED_SHARE, object_mask
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.session import Session

OUTLINE_COLOUR = (1.0, 0.9, 0.1)


@dataclass(frozen=True, eq=False)
class PhraseOverview:
    """A phrase and where it is: the object of its `mask`, else the area that is attended to. `prominence` is the peak
    of its attention. `attention` and `mask` are (1, 1, h, w) at the model's size; there is no mask where the words are
    faint beside others, as those of surroundings are, or no single object is found."""

    phrase: str
    position: Point
    size: float
    box: Box
    prominence: float
    attention: Tensor
    mask: Tensor | None

    def as_dict(self) -> dict[str, object]:
        """The part that can be written as JSON."""
        return {
            "phrase": self.phrase,
            "position": self.position,
            "size": self.size,
            "box": self.box,
            "prominence": self.prominence,
        }


def overview(model: DiffusionModel, photo: Photo, inverted: InvertedImage) -> list[PhraseOverview]:
    """Every phrase that the prompt of a `photo` holds once, in the prompt's order."""
    named = unique_phrases(model, inverted.prompt)
    strengths = {phrase: prominence(inverted.reference, tokens) for phrase, tokens in named.items()}
    outstanding = prominent(inverted.reference, named, max(strengths.values(), default=0.0))
    seen, found = probe(Session(model), inverted.image, inverted.prompt), []
    for phrase, strength in strengths.items():
        attention = seen.attention(named[phrase])
        mask = _single_object(model, photo, inverted, attention, phrase) if phrase in outstanding else None
        area = (attention > ATTENDED_SHARE).float() if mask is None else mask
        found.append(
            PhraseOverview(phrase, mask_centre(area), float(area.mean()), mask_box(area), strength, attention, mask)
        )
    return found


def _single_object(
    model: DiffusionModel, photo: Photo, inverted: InvertedImage, attention: Tensor, phrase: str
) -> Tensor | None:
    try:
        far = object_mask(inverted.image, attention, phrase)
    except EditError:
        return None
    return refine_by_zoom(model, photo, inverted.prompt, phrase, far)


def attention_sheet(inverted: InvertedImage, found: list[PhraseOverview]) -> Image.Image:
    """The photo, then for every phrase its attention over the photo, with the object outlined if it names one."""
    pictures = [("photo", to_bytes(inverted.image))]
    for o in found:
        shown = inverted.image * (0.25 + 0.75 * o.attention)
        if o.mask is not None:
            edge = o.mask - (torch.nn.functional.avg_pool2d(o.mask, 3, stride=1, padding=1) > 0.99).float()
            shown = torch.where(edge > 0.5, torch.tensor(OUTLINE_COLOUR)[None, :, None, None], shown)
        pictures.append((o.phrase, to_bytes(shown)))
    return contact_sheet(pictures)
