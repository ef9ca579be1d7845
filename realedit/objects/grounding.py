"""Which object is meant, which others there are, and whether the model knows them at all."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy import ndimage
from torch import Tensor

from inversion.errors import EditError, PhraseError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.files.photo import Photo
from realedit.geometry.transform import Point
from realedit.images import at_most, resize
from realedit.objects.segmentation import (
    ATTENDED_SHARE,
    FINEST_SIDE,
    LIKELY_ATTENTION,
    READ_FROM,
    attention_mask,
    object_mask,
)
from realedit.sampling.attention import attention_of
from realedit.sampling.inverted_image import InvertedImage

# The overlap (IoU) of the object's mask with its words' attention from which words are used. A mask of
# the user's own may hold anything, and whatever stands out draws some attention.
OVERLAP_FOUND, OVERLAP_GIVEN = 0.25, 0.5
UNLIKE_FEATURES, ALIKE_FEATURES = 0.3, 0.8  # the cosine of features that have nothing in common, and of one object's
FAINT_SHARE = 0.4  # of an object's prominence: words below it name surroundings, not objects

PhraseTokens = dict[str, tuple[int, ...]]  # and their tokens


@dataclass(frozen=True, eq=False)
class Found:
    """An object of the photo: its `phrase` and `tokens` in the prompt, and its `mask` (1, 1, H, W)."""

    phrase: str
    words: tuple[int, ...]
    mask: Tensor


def object_by_tokens(photo: Photo, seen: InvertedImage, tokens: tuple[int, ...], phrase: str) -> Tensor:
    """The mask (1, 1, H, W) of an object at the photo's size: where its words attend.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    fine = at_most(photo.size, FINEST_SIDE)
    return _mask_from_attention(photo, fine, attention_mask(seen.reference, tokens, fine), phrase)


def object_at_point(photo: Photo, seen: InvertedImage, point: Point) -> Tensor:
    """The mask (1, 1, H, W) of what lies at a point of the photo: the area around it in which the photo's
    recorded features are like those at the point.

    Raises:
        EditError: nothing stands out there.
    """
    fine = at_most(photo.size, FINEST_SIDE)
    level = resize(likeness(seen.reference, point), fine)
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
    parts, _ = ndimage.label(level.numpy() > LIKELY_ATTENTION)
    return (level * torch.from_numpy(parts == parts[cell_of(point, level)]))[None, None]


def cell_of(point: Point, maps: Tensor) -> tuple[int, int]:
    """The row and column of a point in maps (..., h, w)."""
    height, width = maps.shape[-2:]
    return min(height - 1, int(point[1] * height)), min(width - 1, int(point[0] * width))


def at_model_size(mask: Tensor, seen: InvertedImage) -> Tensor:
    """A mask of the photo at the model's size.

    Raises:
        EditError: nothing is left of it there.
    """
    small = (resize(mask, (seen.image.shape[-1], seen.image.shape[-2])) > 0.5).float()
    if not small.any():
        raise EditError("the object is too small to be seen at the model's size; mark a larger area")
    return small


def other_objects(model: DiffusionModel, seen: InvertedImage, edited: Sequence[str]) -> list[Found]:
    """The prompt's other objects at the model's size: phrases named once that are about as prominent
    as the faintest of the `edited` ones."""
    edited_words = [model.positions(seen.reference.header.prompt, phrase) for phrase in edited]
    taken = {token for words in edited_words for token in words}
    faintest = min(prominence(seen.reference, words) for words in edited_words)
    named = unique_phrases(model, seen.reference.header.prompt)
    return [o for o in _objects_of(seen, prominent(seen.reference, named, faintest)) if not taken & set(o.words)]


def all_objects(model: DiffusionModel, seen: InvertedImage) -> list[Found]:
    """Every object of the prompt: phrases about as prominent as the most prominent one."""
    named = unique_phrases(model, seen.reference.header.prompt)
    most = max((prominence(seen.reference, words) for words in named.values()), default=0.0)
    return _objects_of(seen, prominent(seen.reference, named, most))


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
    return {phrase: words for phrase, words in named.items() if prominence(reference, words) >= FAINT_SHARE * strength}


def _objects_of(seen: InvertedImage, named: PhraseTokens) -> list[Found]:
    """The objects of phrases at the model's size, without those that attend to nothing in particular."""
    size = (seen.image.shape[-1], seen.image.shape[-2])
    found = []
    for phrase, words in named.items():
        attention = attention_mask(seen.reference, words, size)
        with contextlib.suppress(EditError):
            found.append(Found(phrase, words, object_mask(seen.image, attention, phrase)))
    return found


def is_attended(reference: Reference, tokens: tuple[int, ...], source: Tensor, *, given: bool) -> bool:
    """Whether the words attend to the object at all; if not, guiding by them means nothing. `given`:
    its mask came from the user, not from the words."""
    attended = attention_mask(reference, tokens, (source.shape[-1], source.shape[-2])) > ATTENDED_SHARE
    inside = source > 0.5
    trust = OVERLAP_GIVEN if given else OVERLAP_FOUND
    return bool((attended & inside).sum() >= trust * (attended | inside).sum())


def prominence(reference: Reference, tokens: tuple[int, ...]) -> float:
    """How strongly any place attends to the words: the peak of their attention, averaged over words,
    layers and the later half of the steps."""
    peaks = [
        maps[len(maps) // 2 :].amax((-2, -1)).mean() for maps in attention_of(reference.attention, tokens).values()
    ]
    return float(torch.stack(peaks).mean())
