"""Edits made concrete: which objects go where at the model's size, before anything is sampled anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from inversion.model import DiffusionModel
from realedit.asking import Asked
from realedit.clearing import Cleared, look_behind
from realedit.filling import fill
from realedit.finding import Found
from realedit.inverting import Seen
from realedit.paste import grow
from realedit.separating import Backdrop, union
from realedit.settings import Settings
from realedit.staging import Cast, Extra, Subject
from realedit.traces import Trace


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
    cleared: Cleared,
    extras: Sequence[Extra],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Plan:
    """Decide what is drawn where at the model's size, given what a first look behind it told."""
    masks, going = cleared.masks, cleared.going
    subjects = [Subject(a.phrase, words, a.placements, a.look) for a, words in zip(asked, cleared.words, strict=True)]
    backdrop, left = Backdrop(seen.small, torch.zeros_like(seen.small[:, :1])), {}
    if going:
        backdrop, found = look_behind(model, seen, asked, cleared, settings, on_step)
        left = dict(zip(going, found, strict=True))
    traces = [left.get(k, Trace.none(mask)) for k, mask in enumerate(masks)]
    stay = [grow(m, settings.margin) for k, m in enumerate(masks) if k not in going]
    if stay:  # what is behind an object that stays is only needed to tell its edge from it
        plate = fill(backdrop.plate, union(stay, seen.small))
        backdrop = Backdrop(torch.where(union(stay, plate) > 0.5, plate, backdrop.plate), backdrop.crumbs)
    return Plan(Cast(subjects, masks, traces, backdrop, extras), cleared.others)
