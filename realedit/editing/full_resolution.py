"""From the model's picture to the photo's own pixels: the edit made again at full size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.appearance.selection import AppearanceChange
from realedit.compositing.composite import Cast, Composite, compose
from realedit.compositing.effects import Effects
from realedit.compositing.paste_back import Canvas, paste_back
from realedit.compositing.separation import CleanPlate
from realedit.editing.decomposition import Plan
from realedit.files.photo import Photo
from realedit.images import resize
from realedit.inpainting.fill import fill_coarsely
from realedit.morphology import union
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class Finished:
    """The edited photo, and what is where in it, at its own size."""

    photo: Photo
    stage: Composite


def render_full_resolution(
    model: DiffusionModel,
    photo: Photo,
    masks: Sequence[Tensor],
    plan: Plan,
    small: Composite,
    picture: Tensor,
    looks: Sequence[AppearanceChange],
    settings: Settings,
) -> Finished:
    """Set the objects of `masks` (1, 1, H, W each) down in a photo at its own size and in its own colours;
    objects' pixels come from the photo itself, new `looks` and what was hidden from the model's `picture`
    (1, 3, h, w)."""
    own = photo.colours.from_srgb
    stage = compose(photo.tensor(), _enlarged(photo, masks, plan.cast), settings.margin)
    rough, small = stage.image, replace(small, own={k: own(colours) for k, colours in small.own.items()})
    for look in looks:
        look = replace(look, recolouring=look.recolouring.converted(own))
        rough = look.put_on(rough, stage, own(picture), small)
    dressed = union([stage.targets[look.k] for look in looks], stage.hole)
    canvas = Canvas(rough, stage.touched, stage.moved, dressed)
    result = paste_back(model, photo, canvas, picture, settings.feather)
    return Finished(photo.painted(result, stage.touched, _opacity(photo, masks, plan.cast, settings)), stage)


def _enlarged(photo: Photo, masks: Sequence[Tensor], cast: Cast) -> Cast:
    """A cast at the photo's size and in its colours."""
    own, size = photo.colours.from_srgb, photo.size
    backdrop = CleanPlate(resize(own(cast.backdrop.image), size), resize(cast.backdrop.residue, size))
    extras = [replace(e, layer=replace(e.layer, colour=own(e.layer.colour))) for e in cast.extras]
    return replace(
        cast, sources=masks, traces=[trace.resized(size) for trace in cast.traces], backdrop=backdrop, extras=extras
    )


def _opacity(photo: Photo, masks: Sequence[Tensor], cast: Cast, settings: Settings) -> Tensor | None:
    """How opaque the result is (1, 1, H, W): opacity moves with its object as colours do, and is filled
    in behind it from around the hole. None where nothing is transparent."""
    if not photo.see_through:
        return None
    opacity = photo.opacity().expand(-1, 3, -1, -1)
    sources = [m for m, subject in zip(masks, cast.subjects, strict=True) if subject.lifted]
    hole = torch.stack([torch.zeros_like(opacity[:, :1]), *sources]).amax(0)
    backdrop = CleanPlate(fill_coarsely(opacity, hole), torch.zeros_like(hole))
    solid = [
        replace(e, layer=replace(e.layer, colour=torch.ones_like(e.layer.colour), reflection=0 * e.layer.reflection))
        for e in cast.extras
    ]
    unseen = [Effects.none(m) for m in masks]
    opaque = replace(cast, sources=masks, traces=unseen, backdrop=backdrop, extras=solid)
    return compose(opacity, opaque, settings.margin).image[:, :1].clamp(0, 1)
