"""Write the sample photos: held-out scenes with their captions, some larger, some not square; and of a few of them the
true masks of the objects.

python -m samples.photos samples/photos
"""

import json
from pathlib import Path

import click
from PIL import Image

from realedit.images import to_bytes
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene

# (name, offset of the held-out seed, width, height)
PHOTOS = tuple((f"{i:02d}", 100 + i, 128, 128) for i in range(1, 7)) + (
    ("07-wide", 107, 160, 96),
    ("08-wide", 108, 160, 96),
    ("09-tall", 109, 96, 160),
    ("10-large", 110, 384, 384),
    ("11-large-wide", 111, 640, 384),
    ("12-large-tall", 112, 384, 640),
)
MASKED = ("02", "03", "06", "07-wide")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def main(directory: Path) -> None:
    """Draw the sample photos into DIRECTORY, each with its caption in a .txt beside it."""
    (directory / "masks").mkdir(parents=True, exist_ok=True)
    masks = []
    for name, offset, width, height in PHOTOS:
        scene = sample_scene(FIRST_HELD_OUT_SEED + offset, width, height)
        drawn = render([scene], width, height)
        Image.fromarray(to_bytes(drawn.photos)).save(directory / f"{name}.png", optimize=True)
        (directory / f"{name}.txt").write_text(scene.caption + "\n")
        for k, thing in enumerate(scene.things if name in MASKED else ()):
            mask = f"masks/{name}-{k + 1}.png"
            Image.fromarray(drawn.masks[0, k].numpy() > 0.5).save(directory / mask, optimize=True)
            masks.append({"photo": f"{name}.png", "object": thing.phrase, "mask": mask})
    (directory / "masks.json").write_text(json.dumps(masks, indent=2) + "\n")


if __name__ == "__main__":
    main()
