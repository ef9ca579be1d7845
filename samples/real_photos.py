"""Draw the picture of edits of real photos that README shows: two in the public domain that scikit-image ships.

python -m samples.real_photos FOLDER samples/real_photos.png

FOLDER is `skimage/data` of an installed scikit-image.
"""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from inversion.loading import load_model
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Edit, Move, Restyle
from realedit.files.contact_sheet import contact_sheet
from realedit.files.reading import load_photo
from realedit.inpainting.filler import AutomaticFill, FillChoice, PhotoFill
from realedit.objects.mark import Mark
from realedit.objects.selection import select

SIDE = 384  # pixels of each picture


@dataclass(frozen=True)
class Example:
    """A photo's file, a mark on the object there, its edit, how the result is called, and what fills old places."""

    file: str
    mark: Mark
    edit: Edit
    name: str
    fill: FillChoice = AutomaticFill()


EXAMPLES = (
    Example(
        "rocket.jpg",
        Mark(box=(0.46, 0.25, 0.55, 0.96), points=((0.503, 0.325),)),  # its nose is as dark as the sky
        Move("rocket", by=(0.1, 0)),
        "move --fill photo --by 0.1,0",
        PhotoFill(),  # lamps are all that is around
    ),
    Example("astronaut.png", Mark(box=(0.05, 0.3, 0.72, 0.99)), Restyle("suit", "blue suit"), "restyle --box"),
)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def main(folder: Path, output: Path) -> None:
    model, pictures = load_model(), []
    for example in EXAMPLES:
        photo = load_photo(folder / example.file)
        phrase = example.edit.objects[0]
        hints = Hints({phrase: select(photo, example.mark)})
        result = edit(model, photo, f"a photo of a {phrase}", example.edit, hints=hints, fill=example.fill)
        click.echo(f"{example.name}: {result.report.verdict.to_text()}")
        pictures += [
            (example.file, _square(photo.displayed(384))),
            (example.name, _square(result.photo.displayed(384))),
        ]
    contact_sheet(pictures).save(output, optimize=True)


def _square(picture: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) in the middle of a white square."""
    canvas = np.full((SIDE, SIDE, 3), 255, np.uint8)
    top, left = ((SIDE - n) // 2 for n in picture.shape[:2])
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


if __name__ == "__main__":
    main()
