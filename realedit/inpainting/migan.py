"""What lies behind things in photos, as MI-GAN draws it, whose published weights (Places2, 512 pixels) come with the
program. One pass, no words."""

from dataclasses import dataclass
from functools import cache

import torch
from safetensors.torch import load_file
from torch import Tensor

from inversion.weights import bundled_samples
from realedit.geometry.crop import ZoomLimits
from realedit.inpainting.hole_view import HOLE_ZOOM, NEAR_ZOOM, fill_through_view, hole_crop, on_square
from realedit.inpainting.migan_network import MIGAN_SIDE, MiganGenerator
from realedit.inpainting.photo_fill import Sketch

FINEST_DRAWN = 1.0  # pixels of what it draws: the finest that can be relied on


@dataclass(frozen=True)
class View:
    """How the network is shown a hole: from how near, and whether in a mirror. It draws something else in each."""

    zoom: ZoomLimits = HOLE_ZOOM
    mirrored: bool = False


VIEWS = View(), View(mirrored=True), View(NEAR_ZOOM)


def draw_hole(photo: Tensor, hole: Tensor, others: Tensor, view: View = VIEWS[0]) -> Sketch:
    """A photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) as MI-GAN fills it in a view, which sees neither that
    nor the `others` (1, 1, H, W), with 512 pixels along the longer side of what is around the hole.

    Raises:
        EditError: they leave nothing of the photo to go by.
    """
    seen = [each.flip(-1) if view.mirrored else each for each in (photo, hole, others)]
    drawn = fill_through_view(seen[0], seen[1], seen[2], MIGAN_SIDE, _draw, view.zoom)
    return Sketch(drawn.flip(-1) if view.mirrored else drawn, FINEST_DRAWN * pixels_drawn_as_one(hole, others, view))


def pixels_drawn_as_one(hole: Tensor, others: Tensor, view: View) -> float:
    """How many pixels of a photo, along a side, are one of those that are drawn into a `hole` (1, 1, H, W) in a view in
    which the `others` (1, 1, H, W) are not shown either; 1 at least."""
    return max(1.0, max(hole_crop(hole, others, MIGAN_SIDE, view.zoom).extent) / MIGAN_SIDE) if hole.any() else 1.0


def views_of(hole: Tensor, others: Tensor) -> list[View]:
    """The views that show different things of what is around a `hole` (1, 1, H, W) that is somewhere."""
    wide, near = (hole_crop(hole, others, MIGAN_SIDE, zoom).box for zoom in (HOLE_ZOOM, NEAR_ZOOM))
    return [view for view in VIEWS if view.zoom == HOLE_ZOOM or near != wide]


def _draw(image: Tensor, hidden: Tensor) -> Tensor:
    return on_square(image, hidden, MIGAN_SIDE, _draw_square)


def _draw_square(image: Tensor, hidden: Tensor) -> Tensor:
    with torch.inference_mode():
        drawn = migan_generator()(image * 2 - 1, 1 - hidden)
    return ((drawn + 1) / 2).clone()


@cache
def migan_generator() -> MiganGenerator:
    """The network in float32, which a CPU is quickest with in channels-last order."""
    network = MiganGenerator()
    weights = load_file(bundled_samples() / "migan" / "migan.safetensors")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval().to(memory_format=torch.channels_last)
