"""A direction from blue to red: photos that it is found from, and held-out ones whose true result is rendered."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.methods.direction_fit import fit_direction
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS
from samples.directions import plain_scene, scenes_of
from samples.renderer import render
from samples.scenes import COLOURS, Scene, with_article
from samples.small_scenes import SIDE, small_scene
from tests.benchmarks.edit_cases import EditCase, look_case

OLD, NEW = "blue", "red"
PICTURES, SMALL_PICTURES = 32, 128  # of each colour, from which a direction is found
DIRECTION_SIDE = 128  # of a photo in pixels
Frame = tuple[int, int]


def recoloured_one(scene: Scene, size: Frame) -> EditCase | None:
    """The scene's first object alone, in the old colour, asked for in the new one."""
    alone = replace(scene, things=scene.things[:1])
    blue = alone.recoloured(0, OLD)
    place = alone.emptied().caption.removeprefix("a photo of ")
    blue = replace(blue, caption=f"a photo of {with_article(blue.things[0].phrase)} on {place}")
    looks = [blue.recoloured(0, NEW), *(blue.recoloured(0, each) for each in COLOURS if each != NEW)]
    return look_case(blue, 0, looks, "recolour", size)


def direction_case(seed: int, frame: Frame) -> EditCase | None:
    """On the one table, before the one wall, as all photos that the direction is found from."""
    return recoloured_one(plain_scene(seed), (DIRECTION_SIDE, DIRECTION_SIDE))


def small_direction_case(seed: int, frame: Frame) -> EditCase | None:
    """The same in the pictures of the model without words, on any of its tables."""
    return recoloured_one(small_scene(seed), (SIDE, SIDE))


def found_direction(model: DiffusionModel, folder: Path, steps: int, *, small: bool) -> str:
    """The folder, into which the direction from the old colour to the new one is written."""
    session = Session(model, replace(DEFAULTS, steps=steps))
    red, blue = (_pictures(shown=shown, small=small) for shown in (True, False))
    for path, data in fit_direction(session, (red, blue), "").files(folder).items():
        path.write_bytes(data)
    return str(folder)


def _pictures(*, shown: bool, small: bool) -> Tensor:
    """With the new colour (`shown`) or with the old one, as files would hold them."""
    count, side = (SMALL_PICTURES, SIDE) if small else (PICTURES, DIRECTION_SIDE)
    return (render(scenes_of("colour", count, shown=shown, small=small), side, side).photos * 255).round() / 255
