"""A first, wide look behind the objects that go: what the scene without them says of their masks and shadows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.compositing.composite import Cast, InsertedObject, Subject
from realedit.compositing.effects import Effects
from realedit.compositing.mask_trimming import without_shadow
from realedit.compositing.separation import CleanPlate, around, covered_region, separate, separate_without_model
from realedit.editing.object_edits import Asked
from realedit.images import resize
from realedit.inpainting.clean_plate import clean_plate
from realedit.inpainting.fill import fill_fsr
from realedit.morphology import dilate, union
from realedit.objects.grounding import Found, at_model_size, is_attended, other_objects
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.inverted_image import InvertedCrop, InvertedImage
from realedit.sampling.prompts import background_prompt
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class Cleared:
    """What is where at the model's size, as far as the scene without what goes tells: for each object its `words`
    (none where the model does not know it), its mask (1, 1, h, w) as it was `found` and as it is now, and whether it
    is `going`; the photo's `others`, which stay; and that scene, drawn in a wide hole (None: no model drew it)."""

    words: list[tuple[int, ...]]
    found: list[Tensor]
    masks: list[Tensor]
    going: list[int]
    others: list[Found]
    plate: Tensor | None

    def put_right(self, k: int, mask: Tensor) -> Tensor:
        """A mask (1, 1, H, W) of object `k` at the photo's size, changed as it was at the model's."""
        before, after = self.found[k], self.masks[k]
        if torch.equal(before, after):
            return mask
        size = mask.shape[-1], mask.shape[-2]
        more, less = (resize(change, size) > 0.5 for change in (after * (1 - before), before * (1 - after)))
        return (((mask > 0.5) | more) & ~less).float()

    def staying(self, seen: InvertedImage) -> list[Tensor]:
        """The masks (1, 1, h, w) of all objects that stay, without what goes."""
        free = 1 - union([self.masks[k] for k in self.going], seen.image)
        masks = [m for k, m in enumerate(self.masks) if k not in self.going]
        return [mask * free for mask in (*masks, *(o.mask for o in self.others))]

    def surroundings(self, seen: InvertedImage, asked: Sequence[Asked]) -> str:
        """What the prompt says beside all objects."""
        named = [*(a.phrase for a in asked), *(o.phrase for o in self.others)]
        return background_prompt(seen.reference.header.prompt, named)


def decompose_wide(
    model: DiffusionModel,
    part: InvertedCrop,
    asked: Sequence[Asked],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Cleared:
    """Look behind what goes, and put right the masks that were found by words."""
    seen = part.inverted
    masks = [at_model_size(a.given.mask, seen) for a in asked]
    words = [_known_words(model, seen, a, mask) for a, mask in zip(asked, masks, strict=True)]
    going = [k for k, a in enumerate(asked) if a.lifted]
    others = _others(model, part, [a.phrase for a in asked]) if asked else []
    first = Cleared(words, masks, masks, going, others, None)
    if not going or not all(words[k] for k in going):
        return first
    gone, beside = [masks[k] for k in going], union(first.staying(seen), seen.image)
    reach = union([around(mask, settings.reach) for mask in gone], seen.image)
    hole = dilate(reach, settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, first.surroundings(seen, asked), hole, beside, settings, on_step)
    better = list(masks)
    for k in going:
        if not asked[k].given.by_user:
            near = union([masks[j] for j in going if j != k], beside)
            better[k] = without_shadow(seen.image, plate, masks[k], torch.maximum(near, beside))
    return Cleared(words, masks, better, going, others, plate)


def _others(model: DiffusionModel, part: InvertedCrop, edited: Sequence[str]) -> list[Found]:
    """The part's other objects, seen from near."""
    prompt = part.inverted.reference.header.prompt
    others = other_objects(model, part.inverted, edited)
    return [replace(o, mask=refine_by_zoom(model, part.photo, prompt, o.phrase, o.mask)) for o in others]


def decompose_tight(
    model: DiffusionModel,
    seen: InvertedImage,
    asked: Sequence[Asked],
    cleared: Cleared,
    settings: Settings,
    on_step: Callable[[int], None],
) -> tuple[CleanPlate, list[Effects]]:
    """The scene without what goes, now that it is known how far shadows go, drawn in a hole of just what objects and
    their traces cover; and the traces of what goes."""
    gone, staying = [cleared.masks[k] for k in cleared.going], cleared.staying(seen)
    beside = union(staying, seen.image)
    if cleared.plate is None:
        return separate_without_model(seen.image, gone, beside, settings.margin)
    hole = dilate(covered_region(seen.image, cleared.plate, gone, staying), settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, cleared.surroundings(seen, asked), hole, beside, settings, on_step)
    return separate(seen.image, plate, gone, settings.margin)


def _known_words(model: DiffusionModel, seen: InvertedImage, asked: Asked, mask: Tensor) -> tuple[int, ...]:
    words = model.positions(seen.reference.header.prompt, asked.phrase)
    return words if is_attended(seen.reference, words, mask, given=asked.given.by_user) else ()


@dataclass(frozen=True, eq=False)
class Plan:
    """Edits made concrete: the `cast` at the model's size, and the photo's `others`, which stay."""

    cast: Cast
    others: list[Found]

    @property
    def known(self) -> bool:
        """Whether the model knows every object by its words, so that it may draw and guide."""
        return all(subject.words for subject in self.cast.subjects)


def make_plan(
    model: DiffusionModel,
    seen: InvertedImage,
    asked: Sequence[Asked],
    cleared: Cleared,
    extras: Sequence[InsertedObject],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Plan:
    """Decide what is drawn where at the model's size, given what a first look behind it told."""
    masks, going = cleared.masks, cleared.going
    subjects = [Subject(a.phrase, words, a.placements, a.look) for a, words in zip(asked, cleared.words, strict=True)]
    backdrop, left = CleanPlate(seen.image, torch.zeros_like(seen.image[:, :1])), {}
    if going:
        backdrop, found = decompose_tight(model, seen, asked, cleared, settings, on_step)
        left = dict(zip(going, found, strict=True))
    traces = [left.get(k, Effects.none(mask)) for k, mask in enumerate(masks)]
    stay = [dilate(m, settings.margin) for k, m in enumerate(masks) if k not in going]
    if stay:  # what is behind an object that stays is only needed to tell its edge from it
        plate = fill_fsr(backdrop.image, union(stay, seen.image))
        backdrop = CleanPlate(torch.where(union(stay, plate) > 0.5, plate, backdrop.image), backdrop.residue)
    return Plan(Cast(subjects, masks, traces, backdrop, extras), cleared.others)
