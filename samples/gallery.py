"""Draw the picture of every edit that README shows.

python -m samples.gallery samples/edits.png
"""

from dataclasses import replace
from pathlib import Path

import click

from inversion.loading import load_model
from inversion.weights import bundled_samples
from realedit.editing.generation import same_layout
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Duplicate, Edit, Insert, Move, ObjectSource, Remove, Restyle, Swap, Transfer
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.contact_sheet import contact_sheet
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.images import to_bytes
from realedit.objects.source_objects import SourcePhoto
from realedit.sampling.inverted_image import invert_photo
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS

PHOTO = "03"
EDITS: dict[str, tuple[Edit, ...]] = {
    "move": (Move("black vase", by=(-0.2, 0.1)),),
    "restyle": (Restyle("black vase", "striped red vase"),),
    "transfer": (Transfer("black vase", ObjectSource("12-large-tall", "shiny striped green bottle")),),
    "swap": (Swap("black vase", "spotted blue egg"),),
    "remove": (Remove("spotted blue egg"),),
    "duplicate": (Duplicate("black vase", by=(-0.22, 0.2)),),
    "compose": (Insert(ObjectSource("10-large", "purple ball"), (0.25, 0.75)),),
    "recipe": (Move("spotted blue egg", by=(-0.1, 0.25)), Restyle("black vase", "green vase")),
}
RELOOK = "a photo of a red vase and a spotted green egg on a grey table", 3  # and its seed


def bundled(name: str) -> tuple[Photo, str]:
    """A bundled photo and its caption."""
    photos = bundled_samples() / "photos"
    return load_photo(photos / f"{name}.png"), (photos / f"{name}.txt").read_text().strip()


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def main(path: Path) -> None:
    """Make every edit of one bundled photo, and write them side by side to PATH."""
    model = load_model(device="cpu")
    perceptual = perceptual_metric(model)
    photo, prompt = bundled(PHOTO)
    pictures = [("photo", photo.rgb)]
    hints = Hints(sources={n: SourcePhoto(*bundled(n)) for n in ("10-large", "12-large-tall")})
    for name, edits in EDITS.items():
        edited = edit(model, photo, prompt, *edits, hints=hints, perceptual=perceptual)
        pictures.append((name, edited.photo.rgb))
    words, seed = RELOOK
    session = Session(model, replace(DEFAULTS, seed=seed))
    pictures.append(("relook", to_bytes(same_layout(session, invert_photo(session, photo, prompt), words))))
    contact_sheet(pictures).save(path)


if __name__ == "__main__":
    main()
