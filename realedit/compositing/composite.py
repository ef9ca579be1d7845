"""All objects of an edit set down in one picture, at the model's size or at the photo's own."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from realedit.compositing.layers import PlacedLayer, blend_layers, extract_layer, layer_colours, place
from realedit.compositing.scene import LayeredScene, ObjectEdit
from realedit.geometry.transform import IDENTITY, Placement
from realedit.geometry.warp import warp
from realedit.images import box_blur
from realedit.morphology import dilate, interior, union
from realedit.settings import DEFAULTS

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class PlacedObject:
    """One object in a composite: its `target` (1, 1, H, W), 0 or 1, where it is after the edit; its `opacity`
    (1, 1, H, W), how much of each pixel it covers; and `colours` (1, 3, H, W): the photo's, or where it gets a new
    appearance, its old ones there without what is behind."""

    phrase: str
    target: Tensor
    opacity: Tensor
    colours: Tensor

    def pixels_of(self, picture: Tensor) -> Tensor:
        """The colours (n, 3) that a picture (1, 3, H, W) has well inside it."""
        return picture[0][:, interior(self.target)[0, 0] > 0.5].T


@dataclass(frozen=True, eq=False)
class Composite:
    """The edited picture, `image` (1, 3, H, W), as far as layers alone can make it, and what is where in it.

    `objects`: the edited ones in the scene's order; `inserted`: those of other photos. Masks (1, 1, H, W): `hole`,
    where leaving objects and their effects were, with a margin; `covered`, all that was set down; `moved`, hole and
    objects with their effects and a margin; `editable`, all that may change, new appearances too.
    """

    image: Tensor
    objects: tuple[PlacedObject, ...]
    inserted: tuple[PlacedObject, ...]
    hole: Tensor
    covered: Tensor
    moved: Tensor
    editable: Tensor

    @property
    def everything(self) -> tuple[PlacedObject, ...]:
        return self.objects + self.inserted

    def vacated(self, mask: Tensor) -> Tensor:
        """Of an object's old place, a mask (1, 1, H, W), what nothing covers now."""
        return mask * (1 - union([*(each.target for each in self.everything), self.covered], self.hole))


def compose(photo: Tensor, scene: LayeredScene, margin: float, seam: float = DEFAULTS.feather) -> Composite:
    """Set down all objects of a photo (1, 3, H, W), those farther back first: what stands lower in the frame
    is nearer. `margin` and `seam` are fractions of the shorter side: what masks miss at edges, and how wide the seam is
    between plate and photo."""
    size = (photo.shape[-1], photo.shape[-2])
    placed = [_placed(photo, scene, edit) for edit in scene.objects]
    landed = [[_landed(edit.mask, p, size) for p in edit.placements] for edit in scene.objects]
    brought = [place(each.layer, each.placement, size) for each in scene.inserted]
    arrivals = [
        (layer, target)
        for edit, layers, targets in zip(scene.objects, placed, landed, strict=True)
        for layer, target, placement in zip(layers, targets, edit.placements, strict=True)
        if placement != IDENTITY
    ]
    inserted = [
        PlacedObject(each.phrase, _landed(each.mask, each.placement, size), layer.alpha, photo)
        for each, layer in zip(scene.inserted, brought, strict=True)
    ]
    arrivals += [(layer, each.target) for layer, each in zip(brought, inserted, strict=True)]
    arrivals.sort(key=lambda pair: _foot(pair[1]))
    hole = vacated_hole(photo, scene, margin)
    arrived = [dilate(torch.maximum(target, layer.effects()), margin) for layer, target in arrivals]
    moved = torch.maximum(hole, union(arrived, photo))
    restyled = [dilate(edit.mask, margin) for edit in scene.objects if edit.appearance is not None and not edit.leaves]
    composite = Composite(
        image=blend_layers(photo, scene.clean_plate, hole, [layer for layer, _ in arrivals], seam),
        objects=tuple(map(functools.partial(_object, photo), scene.objects, placed, landed)),
        inserted=tuple(inserted),
        hole=hole,
        covered=union([target for _, target in arrivals], photo),
        moved=moved,
        editable=union([moved, *restyled], photo),
    )
    return composite if scene.front is None else _behind(composite, photo, scene.front)


def _behind(composite: Composite, photo: Tensor, front: Tensor) -> Composite:
    """A composite of which what stays in `front` (1, 1, H, W) covers all else, with the photo's pixels."""
    free = 1 - box_blur(front)

    def seen(each: PlacedObject) -> PlacedObject:
        return replace(each, target=each.target * (front < 0.5), opacity=each.opacity * free)

    some = (free > 0).float()
    return Composite(
        image=torch.lerp(photo, composite.image, free),
        objects=tuple(seen(each) for each in composite.objects),
        inserted=tuple(seen(each) for each in composite.inserted),
        hole=composite.hole * some,
        covered=composite.covered * some,
        moved=composite.moved * some,
        editable=composite.editable * some,
    )


def _placed(photo: Tensor, scene: LayeredScene, edit: ObjectEdit) -> list[PlacedLayer]:
    """An object of the photo at each of its placements."""
    if not edit.placements:
        return []
    layer = extract_layer(photo, edit.mask, edit.effects, scene.clean_plate)
    return [place(layer, placement, (photo.shape[-1], photo.shape[-2])) for placement in edit.placements]


def _object(photo: Tensor, edit: ObjectEdit, layers: Sequence[PlacedLayer], targets: Sequence[Tensor]) -> PlacedObject:
    return PlacedObject(
        edit.object.phrase,
        target=union(targets, edit.mask),
        opacity=union([layer.alpha for layer in layers], photo),
        colours=photo if edit.appearance is None else layer_colours(layers, photo),
    )


def _landed(mask: Tensor, placement: Placement, size: Size) -> Tensor:
    """A mask where the placement takes it, 0 or 1."""
    return (warp(mask, placement, size=size) > 0.5).float()


def vacated_hole(photo: Tensor, scene: LayeredScene, margin: float) -> Tensor:
    """Where leaving objects, their effects and their residue were, and nothing that stays stands before them."""
    gone = [dilate(torch.maximum(edit.mask, edit.effects.visible()), margin) for edit in scene.objects if edit.leaves]
    hole = union([*gone, *([dilate(scene.clean_plate.residue, margin)] if gone else [])], photo)
    return hole * (1 - union([edit.mask for edit in scene.objects if not edit.leaves], photo))


def _foot(mask: Tensor) -> int:
    """The lowest row of a mask; what left the frame comes first."""
    rows = (mask[0, 0] > 0.5).any(1).nonzero()
    return int(rows[-1]) if len(rows) else -1
