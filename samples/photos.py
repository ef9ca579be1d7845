"""Write the sample photos: held-out scenes with their captions, some larger, some not square.

python -m samples.photos samples/photos
"""

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


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def main(directory: Path) -> None:
    """Draw the sample photos into DIRECTORY, each with its caption in a .txt beside it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, offset, width, height in PHOTOS:
        scene = sample_scene(FIRST_HELD_OUT_SEED + offset, width, height)
        photo = render([scene], width, height).photos
        Image.fromarray(to_bytes(photo)).save(directory / f"{name}.png", optimize=True)
        (directory / f"{name}.txt").write_text(scene.caption + "\n")


if __name__ == "__main__":
    main()
