"""From the model's picture to the photo's own pixels: the edit made again at full size."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from realedit.appearance.selection import Changes
from realedit.compositing.composite import Composite, compose
from realedit.compositing.effects import Effects
from realedit.compositing.paste_back import paste_back
from realedit.compositing.scene import LayeredScene
from realedit.compositing.separation import CleanPlate
from realedit.files.photo import Photo
from realedit.images import resize
from realedit.inpainting.fill import fill_smoothly
from realedit.morphology import union
from realedit.objects.located_object import LocatedObject
from realedit.sampling.session import Session


def full_scene(photo: Photo, scene: LayeredScene, objects: Sequence[LocatedObject]) -> LayeredScene:
    """A scene at the model's size as one at the photo's own and in its colours, in which `objects` tell where each of
    its objects is."""
    own, size = photo.colours.from_srgb, photo.size
    return replace(
        scene,
        objects=tuple(
            replace(edit, object=located, effects=edit.effects.resized(size))
            for edit, located in zip(scene.objects, objects, strict=True)
        ),
        clean_plate=replace(scene.clean_plate, image=own(scene.clean_plate.image)).resized(size),
        inserted=tuple(each.converted(own) for each in scene.inserted),
        front=None if scene.front is None else (resize(scene.front, size) > 0.5).float(),
    )


def render_full_resolution(
    session: Session, photo: Photo, scene: LayeredScene, drawn: Composite, generated: Tensor | None, changes: Changes
) -> tuple[Photo, Composite]:
    """Set the objects of a full `scene` down in a photo; objects' pixels come from the photo itself, new appearances
    from the picture `generated` (1, 3, h, w) that the model made of the composite `drawn`, if it made one. The edited
    photo, and what is where in it at its own size."""
    own, settings = photo.colours.from_srgb, session.settings
    shown = own(drawn.image if generated is None else generated)
    composite = compose(photo.tensor(), scene, settings.margin, settings.feather)
    image = composite.image
    for change, placed, small in zip(changes, composite.objects, drawn.objects, strict=True):
        if change is not None:
            small = replace(small, colours=own(small.colours))
            image = change.converted(own).apply(image, placed, shown, small)
    composite = replace(composite, image=image)
    result = paste_back(photo, composite, settings.feather)
    return photo.painted(result, composite.editable, opacity_after(photo, scene, settings.margin)), composite


def opacity_after(photo: Photo, scene: LayeredScene, margin: float) -> Tensor | None:
    """How opaque the result is (1, 1, H, W): opacity moves with its object as colours do, and is filled
    in behind it from around the hole. None where nothing is transparent."""
    if not photo.see_through:
        return None
    opacity = photo.opacity().expand(-1, 3, -1, -1)
    hole = union([edit.mask for edit in scene.moving], opacity)
    solid = [each.converted(torch.ones_like) for each in scene.inserted]
    opaque = replace(
        scene,
        objects=tuple(replace(edit, effects=Effects.none(edit.mask)) for edit in scene.objects),
        clean_plate=CleanPlate.of(fill_smoothly(opacity, hole)),
        inserted=tuple(
            replace(each, layer=replace(each.layer, reflection=0 * each.layer.reflection)) for each in solid
        ),
    )
    return compose(opacity, opaque, margin).image[:, :1].clamp(0, 1)
