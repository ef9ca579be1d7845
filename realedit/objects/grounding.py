"""Which object is meant, which others there are, and whether the model knows them at all."""

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.files.photo import Photo
from realedit.images import resize
from realedit.objects.located_object import LocatedObject
from realedit.objects.segmentation import attention_mask, fine_size, object_mask
from realedit.sampling.attention import attention_of
from realedit.sampling.inverted_image import InvertedImage

FAINT_SHARE = 0.4  # of an object's prominence: words below it name surroundings, not objects

PhraseTokens = dict[str, tuple[int, ...]]
"""Phrases of a prompt and their tokens."""


def object_by_tokens(photo: Photo, inverted: InvertedImage, tokens: tuple[int, ...], phrase: str) -> Tensor:
    """The mask (1, 1, H, W) of an object at the photo's size: where its words attend.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    fine = fine_size(photo.size)
    attention = attention_mask(inverted.reference, tokens, fine)
    return (resize(object_mask(photo.small(fine), attention, phrase), photo.size) > 0.5).float()


def other_objects(model: DiffusionModel, inverted: InvertedImage, edited: Sequence[str]) -> list[LocatedObject]:
    """The prompt's other objects at the model's size: phrases named once that are about as prominent
    as the faintest of the `edited` ones."""
    edited_tokens = [model.positions(inverted.prompt, phrase) for phrase in edited]
    taken = {token for tokens in edited_tokens for token in tokens}
    faintest = min(prominence(inverted.reference, tokens) for tokens in edited_tokens)
    named = unique_phrases(model, inverted.prompt)
    return [
        o for o in _objects_of(inverted, prominent(inverted.reference, named, faintest)) if not taken & set(o.tokens)
    ]


def all_objects(model: DiffusionModel, inverted: InvertedImage) -> list[LocatedObject]:
    """Every object of the prompt: phrases about as prominent as the most prominent one."""
    named = unique_phrases(model, inverted.prompt)
    most = max((prominence(inverted.reference, tokens) for tokens in named.values()), default=0.0)
    return _objects_of(inverted, prominent(inverted.reference, named, most))


def unique_phrases(model: DiffusionModel, prompt: str) -> PhraseTokens:
    """The phrases that a prompt holds once, and their tokens."""
    found = {}
    for phrase in phrases(prompt):
        with contextlib.suppress(PhraseError):  # named twice, or beyond what the model reads
            found[phrase] = model.positions(prompt, phrase)
    return found


def prominent(reference: Reference, named: PhraseTokens, strength: float) -> PhraseTokens:
    """Those phrases that are about as prominent as this `strength`. Words of tables and walls attend faintly,
    wherever that is."""
    return {
        phrase: tokens for phrase, tokens in named.items() if prominence(reference, tokens) >= FAINT_SHARE * strength
    }


def _objects_of(inverted: InvertedImage, named: PhraseTokens) -> list[LocatedObject]:
    """The objects of phrases at the model's size, without those that attend to nothing in particular."""
    found = []
    for phrase, tokens in named.items():
        attention = attention_mask(inverted.reference, tokens, inverted.size)
        with contextlib.suppress(EditError):
            found.append(LocatedObject(phrase, tokens, object_mask(inverted.image, attention, phrase)))
    return found


def prominence(reference: Reference, tokens: tuple[int, ...]) -> float:
    """How strongly any place attends to the words: the peak of their attention, averaged over words,
    layers and the later half of the steps."""
    peaks = [
        maps[len(maps) // 2 :].amax((-2, -1)).mean() for maps in attention_of(reference.attention, tokens).values()
    ]
    return float(torch.stack(peaks).mean())
