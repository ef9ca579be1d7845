"""Edits made concrete: which objects go where at the model's size, before anything is sampled anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.edits import Edit, Look, check_together
from realedit.filling import fill
from realedit.finding import Found, at_model_size, known_to_model, other_objects
from realedit.inverting import Seen
from realedit.masks import mask_place
from realedit.paste import grow
from realedit.placement import STAY, Placement
from realedit.plate import clean_plate, surroundings
from realedit.separating import Backdrop, around, covered, cut_out, take_apart, union
from realedit.settings import Settings
from realedit.staging import Cast, Extra, Subject


@dataclass(frozen=True, eq=False)
class Given:
    """Where an object of the photo is: its mask (1, 1, H, W) at the photo's size, and whether the user
    said so rather than the words."""

    mask: Tensor
    by_user: bool


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
    seen: Seen,
    edits: Sequence[Edit],
    given: Mapping[str, Given],
    extras: Sequence[Extra],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Plan:
    """Decide what goes where; `given` tells of every object that the edits name where it is.

    Raises:
        EditError: the edits contradict each other, or an object would leave the photo.
    """
    check_together(edits)
    masks = [at_model_size(g.mask, seen) for g in given.values()]
    subjects = _subjects(model, seen, edits, given, masks)
    others = other_objects(model, seen, list(given)) if given else []
    prompt = seen.reference.header.prompt
    going = [k for k, subject in enumerate(subjects) if subject.lifted]
    gone = [masks[k] for k in going]
    backdrop, shadows = Backdrop(seen.small, torch.zeros_like(seen.small[:, :1])), {}
    if going:
        named = [*given, *(o.phrase for o in others)]
        staying = [m for k, m in enumerate(masks) if k not in going]
        beside = union([*staying, *(o.mask for o in others)], seen.small) * (1 - union(gone, seen.small))
        if all(subjects[k].words for k in going):
            backdrop, cast = _behind(model, seen, surroundings(prompt, named), gone, beside, settings, on_step)
        else:
            backdrop, cast = cut_out(seen.small, gone, settings.margin)
        shadows = dict(zip(going, cast, strict=True))
    dark = [shadows.get(k, torch.ones_like(masks[k])) for k in range(len(masks))]
    stay = [grow(m, settings.margin) for k, m in enumerate(masks) if k not in going]
    if stay:  # what is behind an object that stays is only needed to tell its edge from it
        plate = fill(backdrop.plate, union(stay, seen.small))
        backdrop = Backdrop(torch.where(union(stay, plate) > 0.5, plate, backdrop.plate), backdrop.crumbs)
    return Plan(Cast(subjects, masks, dark, backdrop, extras), others)


def _subjects(
    model: DiffusionModel, seen: Seen, edits: Sequence[Edit], given: Mapping[str, Given], masks: Sequence[Tensor]
) -> list[Subject]:
    places = {phrase: mask_place(g.mask) for phrase, g in given.items()}
    placements: dict[str, tuple[Placement, ...]] = dict.fromkeys(given, (STAY,))
    looks: dict[str, Look | None] = dict.fromkeys(given)
    for edit in edits:
        placements |= dict(edit.placements(places))
        looks |= {phrase: edit.look for phrase in edit.objects if edit.look is not None}
    subjects = []
    for (phrase, g), mask in zip(given.items(), masks, strict=True):
        words = model.positions(seen.reference.header.prompt, phrase)
        known = known_to_model(seen.reference, words, mask, given=g.by_user)
        subjects.append(Subject(phrase, words if known else (), placements[phrase], looks[phrase]))
    return subjects


def _behind(
    model: DiffusionModel,
    seen: Seen,
    prompt: str,
    gone: Sequence[Tensor],
    beside: Tensor,
    settings: Settings,
    on_step: Callable[[int], None],
) -> tuple[Backdrop, list[Tensor]]:
    """The scene without the objects of the masks `gone`, drawn by the model, and the objects' shadows."""
    # First a wide hole, to learn how far the shadows go; then only what objects and shadows cover.
    reach = union([around(mask, settings.reach) for mask in gone], seen.small)
    hole = grow(reach, settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
    hole = grow(covered(seen.small, plate, gone), settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
    return take_apart(seen.small, plate, gone, settings.margin)
