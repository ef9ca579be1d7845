"""Two folders of rendered photos that differ in one thing, to find a direction from: `with` it and `without` it.

python -m samples.directions FOLDER colour --pictures 48
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
from torchvision.utils import save_image

from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene
from samples.small_scenes import PLAIN, small_scene

CAMERA = (4.7, 2.3)  # distance and height
LARGE, SMALL = 1.3, 0.7  # of the size that was drawn by lot


def coloured(scene: Scene, *, shown: bool) -> Scene:
    """One object, red or blue."""
    return replace(scene, things=scene.things[:1]).recoloured(0, "red" if shown else "blue")


def sized(scene: Scene, *, shown: bool) -> Scene:
    """One object, large or small."""
    return replace(scene, things=scene.things[:1]).resized(0, LARGE if shown else SMALL)


def counted(scene: Scene, *, shown: bool) -> Scene:
    """Two objects or one."""
    return replace(scene, things=scene.things[: 2 if shown else 1])


KINDS: dict[str, Callable[..., Scene]] = {"colour": coloured, "size": sized, "count": counted}


def plain_scene(seed: int) -> Scene:
    """The scene of a seed with plain objects, on the one table, before the one wall, seen from one place."""
    scene = sample_scene(seed, looks=PLAIN)
    return replace(scene, table="wooden", wall="white", camera=CAMERA)


def scenes_of(kind: str, count: int, *, shown: bool, small: bool = False, first: int = 0) -> list[Scene]:
    """Scenes of seeds from `first` on that have at least two objects, of which the kind leaves what it shows; those
    with it and those without it are of different seeds."""
    found: list[Scene] = []
    seed = 2 * first + int(shown)
    while len(found) < count:
        scene = small_scene(seed) if small else plain_scene(seed)
        if len(scene.things) >= 2:
            found.append(KINDS[kind](scene, shown=shown))
        seed += 2
    return found


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--pictures", default=48, show_default=True, help="In each of the two folders.")
@click.option("--small", is_flag=True, help="Scenes of the small unconditional model.")
@click.option("--side", default=128, show_default=True, help="Of the pictures, in pixels.")
@click.option("--held-out", is_flag=True, help="Scenes that no training has seen.")
def main(folder: Path, kind: str, pictures: int, small: bool, side: int, held_out: bool) -> None:
    """Render into FOLDER/with and FOLDER/without."""
    for name, shown in (("with", True), ("without", False)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        first = FIRST_HELD_OUT_SEED // 2 if held_out else 0
        scenes = scenes_of(kind, pictures, shown=shown, small=small, first=first)
        for k, photo in enumerate(render(scenes, side, side).photos):
            save_image(photo, folder / name / f"{k:03d}.png")


if __name__ == "__main__":
    main()
