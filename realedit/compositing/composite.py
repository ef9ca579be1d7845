"""All objects of an edit set down in one picture, at the model's size or at the photo's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from realedit.compositing.effects import Effects
from realedit.compositing.layers import ObjectLayer, PlacedLayer, blend_layers, extract_layer, layer_colours, place
from realedit.compositing.separation import CleanPlate
from realedit.edits import Appearance
from realedit.geometry.transform import IDENTITY, Placement
from realedit.geometry.warp import warp
from realedit.morphology import dilate, interior, union


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
    look: Appearance | None

    @property
    def leaves(self) -> bool:
        """Whether its place is vacated, wholly or in part."""
        return IDENTITY not in self.placements

    @property
    def lifted(self) -> bool:
        """Whether it is drawn anywhere else, or nowhere."""
        return self.placements != (IDENTITY,)


@dataclass(frozen=True, eq=False)
class InsertedObject:
    """An object of another photo that is set down too: lifted off that photo, with its mask
    (1, 1, H', W') there."""

    phrase: str
    layer: ObjectLayer
    mask: Tensor
    placement: Placement


@dataclass(frozen=True, eq=False)
class Cast:
    """Subjects with what was lifted of them at one size: `sources` their masks (1, 1, H, W), the
    `traces` that they leave beside them, the `backdrop` behind them, and `extras`."""

    subjects: Sequence[Subject]
    sources: Sequence[Tensor]
    traces: Sequence[Effects]
    backdrop: CleanPlate
    extras: Sequence[InsertedObject] = ()


@dataclass(frozen=True, eq=False)
class Composite:
    """The rough result (1, 3, H, W) and masks (1, 1, H, W), 0 or 1, of what is where in it.

    `targets`: each subject after the edit, then each extra; `opacities`: how much of each pixel a
    subject covers; `own`: of those that get a new look, by number, their old colours (1, 3, H, W) without what
    is behind; `hole`: where
    leaving objects and their traces were, with a margin; `objects`: all that was set down; `moved`: hole
    and objects with their traces and a margin; `touched`: all that may change, new looks too.
    """

    image: Tensor
    targets: list[Tensor]
    opacities: list[Tensor]
    own: dict[int, Tensor]
    hole: Tensor
    objects: Tensor
    moved: Tensor
    touched: Tensor

    def colours(self, k: int, picture: Tensor) -> Tensor:
        """The colours (n, 3) that a picture (1, 3, H, W) has well inside subject number `k`."""
        return picture[0][:, interior(self.targets[k])[0, 0] > 0.5].T

    def vacated(self, sources: Sequence[Tensor]) -> list[Tensor]:
        """Of each subject's old place what nothing covers now."""
        now = union([*self.targets, self.objects], self.hole)
        return [source * (1 - now) for source in sources]


def compose(photo: Tensor, cast: Cast, margin: float) -> Composite:
    """Draw all subjects of a photo (1, 3, H, W), those farther back first: what stands lower in the frame
    is nearer. `margin` is a fraction of the shorter side, for what masks miss at edges."""
    size = (photo.shape[-1], photo.shape[-2])
    lifted = [
        extract_layer(photo, source, trace, cast.backdrop)
        for source, trace in zip(cast.sources, cast.traces, strict=True)
    ]
    there = [[place(each, p, size) for p in s.placements] for s, each in zip(cast.subjects, lifted, strict=True)]
    arrivals = _arrivals(cast, there, size)
    hole = _hole(photo, cast, margin)
    arrived = union([dilate(torch.maximum(t, one.effects()), margin) for one, t in arrivals], photo)
    moved = torch.maximum(hole, arrived)
    dressed = [
        dilate(source, margin) for s, source in _with_sources(cast) if s.look is not None and IDENTITY in s.placements
    ]
    return Composite(
        image=blend_layers(photo, cast.backdrop, hole, [one for one, _ in arrivals]),
        targets=[
            *(union([_landed(source, p, size) for p in s.placements], source) for s, source in _with_sources(cast)),
            *(_landed(e.mask, e.placement, size) for e in cast.extras),
        ],
        opacities=[union([one.alpha for one in each], photo) for each in there],
        own={k: layer_colours(there[k], photo) for k, s in enumerate(cast.subjects) if s.look is not None},
        hole=hole,
        objects=union([target for _, target in arrivals], photo),
        moved=moved,
        touched=union([moved, *dressed], photo),
    )


def _with_sources(cast: Cast) -> Iterable[tuple[Subject, Tensor]]:
    return zip(cast.subjects, cast.sources, strict=True)


def _landed(source: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """A mask where the placement takes it, 0 or 1."""
    return (warp(source, placement, size=size) > 0.5).float()


def _arrivals(
    cast: Cast, there: Sequence[Sequence[PlacedLayer]], size: tuple[int, int]
) -> list[tuple[PlacedLayer, Tensor]]:
    """All that is set down somewhere else, with its mask there, from back to front."""
    arrivals = [
        (one, _landed(source, placement, size))
        for (subject, source), each in zip(_with_sources(cast), there, strict=True)
        for one, placement in zip(each, subject.placements, strict=True)
        if placement != IDENTITY
    ]
    arrivals += [(place(e.layer, e.placement, size), _landed(e.mask, e.placement, size)) for e in cast.extras]
    return sorted(arrivals, key=lambda pair: _foot(pair[1]))


def _hole(photo: Tensor, cast: Cast, margin: float) -> Tensor:
    """Where leaving objects, their traces and their crumbs were, and nothing that stays stands before them."""
    gone = [
        dilate(torch.maximum(source, trace.visible()), margin)
        for (subject, source), trace in zip(_with_sources(cast), cast.traces, strict=True)
        if subject.leaves
    ]
    hole = union([*gone, *([dilate(cast.backdrop.residue, margin)] if gone else [])], photo)
    return hole * (1 - union([source for s, source in _with_sources(cast) if not s.leaves], photo))


def _foot(mask: Tensor) -> int:
    """The lowest row of a mask; what left the frame comes first."""
    rows = (mask[0, 0] > 0.5).any(1).nonzero()
    return int(rows[-1]) if len(rows) else -1
