"""Which object is meant, which others there are, and whether the model knows them at all."""

import contextlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.files.photo import Photo
from realedit.geometry.transform import Point
from realedit.images import resize
from realedit.morphology import touching
from realedit.objects.located_object import LocatedObject
from realedit.objects.segmentation import (
    LIKELY_ATTENTION,
    READ_FROM,
    attention_mask,
    fine_size,
    object_mask,
)
from realedit.sampling.attention import attention_of
from realedit.sampling.inverted_image import InvertedImage

UNLIKE_FEATURES, ALIKE_FEATURES = 0.3, 0.8  # the cosine of features that have nothing in common, and of one object's
FAINT_SHARE = 0.4  # of an object's prominence: words below it name surroundings, not objects

PhraseTokens = dict[str, tuple[int, ...]]
"""Phrases of a prompt and their tokens."""


def object_by_tokens(photo: Photo, inverted: InvertedImage, tokens: tuple[int, ...], phrase: str) -> Tensor:
    """The mask (1, 1, H, W) of an object at the photo's size: where its words attend.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    fine = fine_size(photo.size)
    return _mask_from_attention(photo, fine, attention_mask(inverted.reference, tokens, fine), phrase)


def object_at_point(photo: Photo, inverted: InvertedImage, point: Point) -> Tensor:
    """The mask (1, 1, H, W) of what lies at a point of the photo: the area around it in which the photo's
    recorded features are like those at the point.

    Raises:
        EditError: nothing stands out there.
    """
    fine = fine_size(photo.size)
    level = resize(likeness(inverted.reference, point), fine)
    return _mask_from_attention(photo, fine, level, f"the point {point[0]:g},{point[1]:g}")


def _mask_from_attention(photo: Photo, fine: tuple[int, int], level: Tensor, phrase: str) -> Tensor:
    return (resize(object_mask(photo.small(fine), level, phrase), photo.size) > 0.5).float()


def likeness(reference: Reference, point: Point) -> Tensor:
    """How like the features at a point those of the cells connected to it are (1, 1, h, w), from 0 to 1:
    the mean over feature layers of their cosine, the frame's average taken off, late steps only."""
    maps = []
    for features in reference.features.values():
        late = features[int(READ_FROM * len(features)) :].float().mean(0)
        centred = late - late.mean((1, 2), keepdim=True)
        unit = centred / centred.norm(dim=0).clamp(min=1e-6)
        row, column = cell_of(point, unit)
        maps.append((unit * unit[:, row, column, None, None]).sum(0))
    level = ((torch.stack(maps).mean(0) - UNLIKE_FEATURES) / (ALIKE_FEATURES - UNLIKE_FEATURES)).clamp(0, 1)
    at_point = np.zeros(level.shape, bool)
    at_point[cell_of(point, level)] = True
    return (level * torch.from_numpy(touching(level.numpy() > LIKELY_ATTENTION, at_point)))[None, None]


def cell_of(point: Point, maps: Tensor) -> tuple[int, int]:
    """The row and column of a point in maps (..., h, w)."""
    height, width = maps.shape[-2:]
    return min(height - 1, int(point[1] * height)), min(width - 1, int(point[0] * width))


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
