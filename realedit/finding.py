"""Which object is meant, which others there are, and whether the model knows them at all."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.energies import words_of
from realedit.images import resize
from realedit.inverting import Seen
from realedit.masks import ATTENDED, attention_mask, object_mask

FINEST = 768  # pixels of the longer side at which an object's edge is looked for
# The overlap (IoU) of the object's mask with its words' attention from which words are used. A mask of
# the user's own may hold anything, and whatever stands out draws some attention.
TRUST_FOUND, TRUST_GIVEN = 0.25, 0.5
FAINT = 0.4  # of the edited object's prominence: words below it name surroundings, not objects


@dataclass(frozen=True, eq=False)
class Found:
    """An object of the photo: its `phrase` and `words` in the prompt, and its `mask` (1, 1, H, W)."""

    phrase: str
    words: tuple[int, ...]
    mask: Tensor


def find_object(photo: Tensor, seen: Seen, words: tuple[int, ...], phrase: str, given: Tensor | None) -> Tensor:
    """The object's mask at the size of `photo` (1, 3, H, W): as `given`, or where its words attend.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    if given is not None:
        return given
    height, width = photo.shape[-2:]
    factor = min(1.0, FINEST / max(height, width))
    fine = (round(width * factor), round(height * factor))
    found = object_mask(resize(photo, fine), attention_mask(seen.reference, words, fine), phrase)
    return (resize(found, (width, height)) > 0.5).float()


def at_model_size(mask: Tensor, seen: Seen) -> Tensor:
    """A mask of the photo at the model's size.

    Raises:
        EditError: nothing is left of it there.
    """
    small = (resize(mask, (seen.small.shape[-1], seen.small.shape[-2])) > 0.5).float()
    if not small.any():
        raise EditError("the object is too small to be seen at the model's size; mark a larger area")
    return small


def other_objects(model: DiffusionModel, seen: Seen, phrase: str) -> list[Found]:
    """The prompt's other objects at the model's size: phrases named once that are about as prominent
    as the edited one. Words of tables and walls attend faintly, wherever that is."""
    prompt = seen.reference.header.prompt
    named = set(model.positions(prompt, phrase))
    enough = FAINT * prominence(seen.reference, tuple(named))
    size = (seen.small.shape[-1], seen.small.shape[-2])
    others = []
    for name in phrases(prompt):
        try:
            words = model.positions(prompt, name)
            if named & set(words) or prominence(seen.reference, words) < enough:
                continue
            attention = attention_mask(seen.reference, words, size)
            others.append(Found(name, words, object_mask(seen.small, attention, name)))
        except (PhraseError, EditError):
            continue
    return others


def known_to_model(reference: Reference, words: tuple[int, ...], source: Tensor, *, given: bool) -> bool:
    """Whether the words attend to the object at all; if not, guiding by them means nothing. `given`:
    its mask came from the user, not from the words."""
    attended = attention_mask(reference, words, (source.shape[-1], source.shape[-2])) > ATTENDED
    inside = source > 0.5
    trust = TRUST_GIVEN if given else TRUST_FOUND
    return bool((attended & inside).sum() >= trust * (attended | inside).sum())


def prominence(reference: Reference, words: tuple[int, ...]) -> float:
    """How strongly any place attends to the words: the peak of their attention, averaged over words,
    layers and the later half of the steps."""
    peaks = [maps[len(maps) // 2 :].amax((-2, -1)).mean() for maps in words_of(reference.attention, words).values()]
    return float(torch.stack(peaks).mean())


def union(masks: list[Tensor], like: Tensor) -> Tensor:
    """All masks (1, 1, h, w) in one; empty where there are none."""
    return torch.stack([torch.zeros_like(like), *masks]).amax(0)
