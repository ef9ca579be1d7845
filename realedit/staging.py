"""All objects of an edit set down in one picture, at the model's size or at the photo's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.compositing import Lifted, colours_of, composite, draw, lift_object
from realedit.edits import Look
from realedit.paste import grow
from realedit.placement import STAY, Placement
from realedit.separating import VISIBLE, Backdrop, union
from realedit.warp import warp


@dataclass(frozen=True, eq=False)
class Subject:
    """An object that an edit changes.

    `phrase` names it, `words` are its tokens in the photo's prompt (none where the model does not know
    it). It is drawn at each of `placements`; where `STAY` is one of them it also keeps its place. `look`
    is what it shall look like, None as before.
    """

    phrase: str
    words: tuple[int, ...]
    placements: tuple[Placement, ...]
    look: Look | None

    @property
    def leaves(self) -> bool:
        """Whether its place is vacated, wholly or in part."""
        return STAY not in self.placements

    @property
    def lifted(self) -> bool:
        """Whether it is drawn anywhere else, or nowhere."""
        return self.placements != (STAY,)


@dataclass(frozen=True, eq=False)
class Extra:
    """An object of another photo that is set down too: lifted off that photo, with its mask
    (1, 1, H', W') there."""

    phrase: str
    lifted: Lifted
    source: Tensor
    placement: Placement


@dataclass(frozen=True, eq=False)
class Cast:
    """Subjects with what was lifted of them at one size: `sources` their masks (1, 1, H, W), `shadows`
    (1, 1, H, W) as factors of light, the `backdrop` behind them, and `extras`."""

    subjects: Sequence[Subject]
    sources: Sequence[Tensor]
    shadows: Sequence[Tensor]
    backdrop: Backdrop
    extras: Sequence[Extra] = ()


@dataclass(frozen=True, eq=False)
class Stage:
    """The rough result (1, 3, H, W) and masks (1, 1, H, W), 0 or 1, of what is where in it.

    `targets`: each subject after the edit, then each extra; `opacities`: how much of each pixel a
    subject covers; `own`: of those that get a new look, by number, their old colours (1, 3, H, W) without what
    is behind; `hole`: where
    leaving objects and their shadows were, with a margin; `objects`: all that was set down; `moved`: hole
    and objects with their shadows and a margin; `touched`: all that may change, new looks too.
    """

    rough: Tensor
    targets: list[Tensor]
    opacities: list[Tensor]
    own: dict[int, Tensor]
    hole: Tensor
    objects: Tensor
    moved: Tensor
    touched: Tensor

    def vacated(self, sources: Sequence[Tensor]) -> list[Tensor]:
        """Of each subject's old place what nothing covers now."""
        now = union([*self.targets, self.objects], self.hole)
        return [source * (1 - now) for source in sources]


def set_stage(photo: Tensor, cast: Cast, margin: float) -> Stage:
    """Draw all subjects of a photo (1, 3, H, W), those farther back first: what stands lower in the frame
    is nearer. `margin` is a fraction of the shorter side, for what masks miss at edges."""
    lifted = [
        lift_object(photo, source, shadow, cast.backdrop)
        for source, shadow in zip(cast.sources, cast.shadows, strict=True)
    ]
    size = (photo.shape[-1], photo.shape[-2])
    hole, arrived, objects, dressed = (torch.zeros_like(photo[:, :1]) for _ in range(4))
    targets, opacities, own, drawn = [], [], {}, []
    for subject, source, each in zip(cast.subjects, cast.sources, lifted, strict=True):
        dark = (each.shadow < VISIBLE).float()
        if subject.leaves:
            hole = torch.maximum(hole, grow(torch.maximum(source, dark), margin))
        if subject.look is not None and STAY in subject.placements:
            dressed = torch.maximum(dressed, grow(source, margin))
        there = [draw(each, placement, size) for placement in subject.placements]
        drawn += [
            (one, warp(source, placement))
            for one, placement in zip(there, subject.placements, strict=True)
            if placement != STAY
        ]
        targets.append(union([(warp(source, p) > 0.5).float() for p in subject.placements], source))
        opacities.append(union([one.alpha for one in there], source))
        if subject.look is not None:
            own[len(targets) - 1] = colours_of(there, photo)
    if hole.any():
        hole = torch.maximum(hole, grow(cast.backdrop.crumbs, margin))
    drawn += [(draw(e.lifted, e.placement, size), warp(e.source, e.placement, size=size)) for e in cast.extras]
    for one, target in drawn:
        mask = (target > 0.5).float()
        objects = torch.maximum(objects, mask)
        dark = (one.shade > 1 - VISIBLE).float()
        arrived = torch.maximum(arrived, grow(torch.maximum(mask, dark), margin))
    drawn.sort(key=lambda pair: _foot(pair[1]))
    targets += [(warp(e.source, e.placement, size=size) > 0.5).float() for e in cast.extras]
    rough = composite(photo, cast.backdrop, hole, [one for one, _ in drawn])
    moved = torch.maximum(hole, arrived)
    return Stage(rough, targets, opacities, own, hole, objects, moved, torch.maximum(moved, dressed))


def _foot(mask: Tensor) -> int:
    """The lowest row of a mask; what left the frame comes first."""
    rows = (mask[0, 0] > 0.5).any(1).nonzero()
    return int(rows[-1]) if len(rows) else -1
