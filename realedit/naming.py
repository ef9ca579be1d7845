"""What the model sees in a photo: every phrase of the prompt with its place, size and attention."""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from realedit.finding import prominence
from realedit.images import to_bytes
from realedit.inverting import Seen
from realedit.masks import ATTENDED, attention_mask, mask_box, mask_centre, object_mask
from realedit.placement import Box, Point
from realedit.tiles import contact_sheet


@dataclass(frozen=True, eq=False)
class NamedObject:
    """A phrase and where it is. `prominence` is the peak of its attention: small for words that name
    surroundings, whose place then means little. `attention` and `mask` are (1, 1, h, w) at the model's size; where no
    single object is found, `mask` is the area attended to."""

    phrase: str
    position: Point
    size: float
    box: Box
    prominence: float
    attention: Tensor
    mask: Tensor

    def as_dict(self) -> dict[str, object]:
        """The part that can be written as JSON."""
        return {
            "phrase": self.phrase,
            "position": self.position,
            "size": self.size,
            "box": self.box,
            "prominence": self.prominence,
        }


def name_objects(model: DiffusionModel, seen: Seen) -> list[NamedObject]:
    """Every phrase that the prompt holds once, in the prompt's order."""
    prompt = seen.reference.header.prompt
    size = (seen.small.shape[-1], seen.small.shape[-2])
    found = []
    for phrase in dict.fromkeys(phrases(prompt)):
        try:
            words = model.positions(prompt, phrase)
        except PhraseError:  # named twice, or beyond what the model reads
            continue
        attention = attention_mask(seen.reference, words, size)
        try:
            mask = object_mask(seen.small, attention, phrase)
        except EditError:
            mask = (attention > ATTENDED).float()
        strength = prominence(seen.reference, words)
        found.append(
            NamedObject(phrase, mask_centre(mask), float(mask.mean()), mask_box(mask), strength, attention, mask)
        )
    return found


def attention_sheet(seen: Seen, found: list[NamedObject]) -> Image.Image:
    """The photo, then for every phrase its attention over the photo with the object outlined."""
    pictures = [("photo", to_bytes(seen.small))]
    for o in found:
        dimmed = seen.small * (0.25 + 0.75 * o.attention)
        edge = o.mask - (torch.nn.functional.avg_pool2d(o.mask, 3, stride=1, padding=1) > 0.99).float()
        outlined = torch.where(edge > 0.5, torch.tensor((1.0, 0.9, 0.1))[None, :, None, None], dimmed)
        pictures.append((o.phrase, to_bytes(outlined)))
    return contact_sheet(pictures)
