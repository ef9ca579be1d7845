"""Edits made concrete: which objects go where at the model's size, before anything is sampled anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.agreement import check_together
from realedit.camera import Camera
from realedit.edits import Edit, Look
from realedit.filling import fill
from realedit.finding import Found, at_model_size, known_to_model, other_objects
from realedit.framing import Frame
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
class Asked:
    """What all edits together ask of one object that they name: where it is, where it is to be drawn,
    and in which new look."""

    phrase: str
    given: Given
    placements: tuple[Placement, ...]
    look: Look | None

    def within(self, frame: Frame, mask: Tensor) -> "Asked":
        """The same in a part of the photo, in which the object's mask is `mask`."""
        placements = tuple(p if p == STAY else frame.placement(p) for p in self.placements)
        return replace(self, given=replace(self.given, mask=mask), placements=placements)


def ask(edits: Sequence[Edit], given: Mapping[str, Given], camera: Camera) -> list[Asked]:
    """What edits ask of every object; `given` tells where each is in the photo that the `camera` took. What goes
    elsewhere looks as it does from there.

    Raises:
        EditError: the edits contradict each other, or an object would leave the photo.
    """
    check_together(edits)
    places = {phrase: mask_place(g.mask, camera) for phrase, g in given.items()}
    placements: dict[str, tuple[Placement, ...]] = dict.fromkeys(given, (STAY,))
    looks: dict[str, Look | None] = dict.fromkeys(given)
    for edit in edits:
        placements |= dict(edit.placements(places))
        looks |= {phrase: edit.look for phrase in edit.objects if edit.look is not None}
    seen = {
        phrase: tuple(replace(p, turn=camera.turn(p.anchor, p.target)) for p in placements[phrase]) for phrase in given
    }
    return [Asked(phrase, g, seen[phrase], looks[phrase]) for phrase, g in given.items()]


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
    asked: Sequence[Asked],
    extras: Sequence[Extra],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Plan:
    """Decide what is drawn where at the model's size."""
    masks = [at_model_size(a.given.mask, seen) for a in asked]
    prompt = seen.reference.header.prompt
    subjects = [_subject(model, seen, a, mask) for a, mask in zip(asked, masks, strict=True)]
    others = other_objects(model, seen, [a.phrase for a in asked]) if asked else []
    going = [k for k, subject in enumerate(subjects) if subject.lifted]
    gone = [masks[k] for k in going]
    backdrop, shadows = Backdrop(seen.small, torch.zeros_like(seen.small[:, :1])), {}
    if going:
        named = [*(a.phrase for a in asked), *(o.phrase for o in others)]
        staying = [m for k, m in enumerate(masks) if k not in going]
        beside = [mask * (1 - union(gone, seen.small)) for mask in (*staying, *(o.mask for o in others))]
        if all(subjects[k].words for k in going):
            backdrop, cast = _behind(model, seen, surroundings(prompt, named), gone, beside, settings, on_step)
        else:
            backdrop, cast = cut_out(seen.small, gone, union(beside, seen.small), settings.margin)
        shadows = dict(zip(going, cast, strict=True))
    dark = [shadows.get(k, torch.ones_like(masks[k])) for k in range(len(masks))]
    stay = [grow(m, settings.margin) for k, m in enumerate(masks) if k not in going]
    if stay:  # what is behind an object that stays is only needed to tell its edge from it
        plate = fill(backdrop.plate, union(stay, seen.small))
        backdrop = Backdrop(torch.where(union(stay, plate) > 0.5, plate, backdrop.plate), backdrop.crumbs)
    return Plan(Cast(subjects, masks, dark, backdrop, extras), others)


def _subject(model: DiffusionModel, seen: Seen, asked: Asked, mask: Tensor) -> Subject:
    words = model.positions(seen.reference.header.prompt, asked.phrase)
    known = known_to_model(seen.reference, words, mask, given=asked.given.by_user)
    return Subject(asked.phrase, words if known else (), asked.placements, asked.look)


def _behind(
    model: DiffusionModel,
    seen: Seen,
    prompt: str,
    gone: Sequence[Tensor],
    staying: Sequence[Tensor],
    settings: Settings,
    on_step: Callable[[int], None],
) -> tuple[Backdrop, list[Tensor]]:
    """The scene without the objects of the masks `gone`, drawn by the model, and the objects' shadows."""
    # First a wide hole, to learn how far the shadows go; then only what objects and shadows cover.
    beside = union(staying, seen.small)
    reach = union([around(mask, settings.reach) for mask in gone], seen.small)
    hole = grow(reach, settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
    hole = grow(covered(seen.small, plate, gone, staying), settings.margin) * (1 - beside)
    plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
    return take_apart(seen.small, plate, gone, settings.margin)
