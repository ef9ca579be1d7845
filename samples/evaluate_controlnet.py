"""How far pictures follow the edges that a ControlNet of the bundled model is shown.

    python -m samples.evaluate_controlnet [--network FOLDER] [--scenes 8] [--picture FILE]

Of held-out scenes the edges and the caption are given, and one picture is drawn without the network and one with it,
from the same noise. Printed is how far the edges of either are those of the map (`edges.py`), 1 at best.
"""

import json
from pathlib import Path

import click
import numpy as np
import torch
from rich.progress import track
from torchvision.utils import save_image

from inversion.loading import load_model
from realedit.editing.generation import generate
from realedit.methods.controlnet import BUNDLED_EDGES, ControlMap, load_controlnet
from realedit.settings import Settings
from samples.edges import agreement, edges
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene


@click.command()
@click.option("--network", default=BUNDLED_EDGES, show_default=True, help="The ControlNet: bundled, or a folder.")
@click.option("--scenes", default=8, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--scale", default=1.0, show_default=True, help="How strongly it is followed.")
@click.option("--picture", type=click.Path(path_type=Path), help="Write scenes, maps, and what was drawn, as columns.")
def main(network: str, scenes: int, first_seed: int, scale: float, picture: Path | None) -> None:
    """Measure a ControlNet on held-out scenes."""
    model = load_model(device="cpu")
    seen, found, columns = load_controlnet(network, model), [], []
    for k in track(range(scenes), description="drawing"):
        scene = sample_scene(first_seed + k)
        photo = render([scene]).photos
        wanted = edges(photo)
        drawn = [
            generate(model, scene.caption, (128, 128), Settings(seed=k), controls=maps).tensor()
            for maps in ((ControlMap(seen, wanted, 0.0),), (ControlMap(seen, wanted, scale),))
        ]
        found.append([agreement(each, wanted) for each in drawn])
        columns.append(torch.cat((photo, wanted, *drawn)))
    without, with_map = np.mean(found, 0)
    better = sum(two > one for one, two in found)
    print(
        json.dumps({"scenes": scenes, "without": float(without), "with": float(with_map), "better": better}, indent=2)
    )
    if picture is not None:
        save_image(torch.stack(columns, 1).flatten(0, 1), picture, nrow=scenes)


if __name__ == "__main__":
    main()
