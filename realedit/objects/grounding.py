"""Which object is meant, which others there are, and whether the model knows them at all."""

import contextlib
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import torch
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.files.photo import Photo
from realedit.images import resize
from realedit.objects.attention_probe import AttentionProbe, probe
from realedit.objects.located_object import LocatedObject
from realedit.objects.segmentation import fine_size, object_mask
from realedit.sampling.attention import attention_of
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.session import Session

FAINT_SHARE = 0.4  # of an object's prominence: words below it name surroundings, not objects
LARGEST_THING = 0.35  # of the frame: what covers more is a surface
CUT_SIDE_SHARE = 0.2  # of a side of the frame: what takes as much of two sides goes on beyond them
MOSTLY_WITHIN = 0.5  # of an object: what holds as much of it in its outline lies around it

PhraseTokens = dict[str, tuple[int, ...]]
"""Phrases of a prompt and their tokens."""


def object_by_tokens(
    model: DiffusionModel, photo: Photo, inverted: InvertedImage, tokens: tuple[int, ...], phrase: str
) -> Tensor:
    """The mask (1, 1, H, W) of an object at the photo's size: where its words attend.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    fine = fine_size(photo.size)
    attention = _probed(model, inverted).attention(tokens)
    return (resize(object_mask(photo.small(fine), resize(attention, fine), phrase), photo.size) > 0.5).float()


def other_objects(model: DiffusionModel, inverted: InvertedImage, edited: Sequence[str]) -> list[LocatedObject]:
    """The prompt's other objects at the model's size: phrases named once that are about as prominent as the faintest of
    the `edited` ones, and name no surface that those stand on or before."""
    edited_tokens = {phrase: model.positions(inverted.prompt, phrase) for phrase in edited}
    taken = {token for tokens in edited_tokens.values() for token in tokens}
    faintest = min(prominence(inverted.reference, tokens) for tokens in edited_tokens.values())
    named = prominent(inverted.reference, unique_phrases(model, inverted.prompt), faintest)
    rest = {phrase: tokens for phrase, tokens in named.items() if not taken & set(tokens)}
    return things_among(*_found(model, inverted, rest, edited_tokens)) if rest else []


def all_objects(model: DiffusionModel, inverted: InvertedImage) -> list[LocatedObject]:
    """Every object of the prompt: phrases about as prominent as the most prominent one, but for surfaces."""
    named = unique_phrases(model, inverted.prompt)
    most = max((prominence(inverted.reference, tokens) for tokens in named.values()), default=0.0)
    return things_among(*_found(model, inverted, prominent(inverted.reference, named, most), {}))


def unique_phrases(model: DiffusionModel, prompt: str) -> PhraseTokens:
    """The phrases that a prompt holds once, and their tokens."""
    found = {}
    for phrase in phrases(prompt):
        with contextlib.suppress(PhraseError):  # named twice, or beyond what the model reads
            found[phrase] = model.positions(prompt, phrase)
    return found


def prominent(reference: Reference, named: PhraseTokens, strength: float) -> PhraseTokens:
    """Those phrases that are about as prominent as this `strength`. Words of tables and walls attend faintly
    with some models."""
    return {
        phrase: tokens for phrase, tokens in named.items() if prominence(reference, tokens) >= FAINT_SHARE * strength
    }


_PROBED: WeakKeyDictionary[InvertedImage, AttentionProbe] = WeakKeyDictionary()


def _probed(model: DiffusionModel, inverted: InvertedImage) -> AttentionProbe:
    """What the model attends to in a photo, read once however many objects are looked for there."""
    if inverted not in _PROBED:
        _PROBED[inverted] = probe(Session(model), inverted.image, inverted.prompt)
    return _PROBED[inverted]


def _found(
    model: DiffusionModel, inverted: InvertedImage, named: PhraseTokens, edited: PhraseTokens
) -> tuple[list[LocatedObject], list[LocatedObject]]:
    """What phrases name at the model's size, and the edited objects, without what attends to nothing in particular."""
    seen = _probed(model, inverted)
    found: tuple[list[LocatedObject], list[LocatedObject]] = [], []
    for phrases_of, objects in zip((named, edited), found, strict=True):
        for phrase, tokens in phrases_of.items():
            with contextlib.suppress(EditError):
                mask = object_mask(inverted.image, seen.attention(tokens), phrase)
                objects.append(LocatedObject(phrase, tokens, mask))
    return found


def things_among(named: Sequence[LocatedObject], edited: Sequence[LocatedObject] = ()) -> list[LocatedObject]:
    """Those that are things, and not tables, walls and skies: however strongly words attend to these, they are large,
    go on beyond the frame on several sides, or lie around what is `edited`."""
    return [each for each in named if not (_goes_on(each.mask) or any(_lies_around(each.mask, e.mask) for e in edited))]


def _goes_on(mask: Tensor) -> bool:
    inside = mask[0, 0] > 0.5
    sides = inside[0], inside[-1], inside[:, 0], inside[:, -1]
    cut = sum(float(side.float().mean()) > CUT_SIDE_SHARE for side in sides)
    return float(inside.float().mean()) > LARGEST_THING or cut >= 2


def _lies_around(mask: Tensor, other: Tensor) -> bool:
    """Whether most of another object lies within the convex outline of a larger mask, and not in the mask itself."""
    if not mask.sum() > other.sum() > 0:
        return False
    points = np.argwhere(mask[0, 0].numpy() > 0.5)[:, ::-1].astype(np.int32)
    outline = cv2.fillConvexPoly(np.zeros(mask.shape[-2:], np.uint8), cv2.convexHull(np.ascontiguousarray(points)), 1)
    within = torch.from_numpy(outline)[None, None].float()
    return float((within * other).sum() / other.sum()) > MOSTLY_WITHIN


def prominence(reference: Reference, tokens: tuple[int, ...]) -> float:
    """How strongly any place attends to the words: the peak of their attention, averaged over words,
    layers and the later half of the steps."""
    peaks = [
        maps[len(maps) // 2 :].amax((-2, -1)).mean() for maps in attention_of(reference.attention, tokens).values()
    ]
    return float(torch.stack(peaks).mean())
