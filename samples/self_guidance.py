"""Draw the picture of what self-guidance alone does: no pixel of any object is copied.

python -m samples.self_guidance samples/self_guidance.png
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.editing.generation import generate, same_appearance, same_layout
from realedit.editing.pipeline import EditResult, edit
from realedit.editing.request import Hints
from realedit.edits import Duplicate, Edit, Move, ObjectSource, Remove, Resize, Restyle, Swap, Transfer
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.contact_sheet import contact_sheet
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.objects.source_objects import SourcePhoto
from realedit.sampling.inverted_image import invert_photo
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS, Mode
from samples.gallery import bundled

PHOTO, OTHERS = "03", ("10-large", "12-large-tall")
BALL, BOTTLE = ObjectSource("10-large", "purple ball"), ObjectSource("12-large-tall", "shiny striped green bottle")
EDITS: dict[str, tuple[Edit, ...]] = {
    "move vase by -0.2, 0.05": (Move("black vase", by=(-0.2, 0.05)),),
    "resize egg by 0.7": (Resize("spotted blue egg", 0.7),),
    "restyle vase: red vase": (Restyle("black vase", "red vase"),),
    "vase: look of a green bottle": (Transfer("black vase", BOTTLE),),
    "both: looks of two photos": (Transfer("black vase", BOTTLE), Transfer("spotted blue egg", BALL)),
    "swap": (Swap("black vase", "spotted blue egg"),),
    "duplicate vase": (Duplicate("black vase", by=(-0.25, 0.15)),),
    "remove egg": (Remove("spotted blue egg"),),
}
RELOOK = "a photo of a red vase and a spotted green egg on a grey table", 3  # and its seed
DRAWN, DRAWN_SEED = "a photo of a red ball and a blue can on a wooden table", 3
DRAWN_EDIT = Move("red ball", by=(0.0, 0.15))


def labelled(name: str, done: EditResult) -> tuple[str, np.ndarray]:
    """A picture under what was asked, and what was reached with which strength."""
    guidance = done.report.guidance
    first = done.report.objects[0]
    found = "gone" if first.asked_position is None else "not found"
    if first.reached_position is not None and first.asked_position is not None:
        off = np.hypot(*np.subtract(first.reached_position, first.asked_position))
        found = f"off by {off:.3f}"
    energy = f"energy {guidance.first:.2f} to {guidance.last:.2f}, strength {guidance.strength:.2f}" if guidance else ""
    return f"{name}\n{found}; {energy}", done.photo.rgb


def whole_pictures(model: DiffusionModel, photo: Photo, prompt: str) -> list[tuple[str, np.ndarray]]:
    """The layout kept in a new look, and the looks kept in a new layout."""
    words, seed = RELOOK
    session = Session(model, replace(DEFAULTS, seed=seed))
    inverted = invert_photo(session, photo, prompt)
    return [
        ("same layout: red vase, green egg", to_bytes(same_layout(session, inverted, words))),
        ("same looks, new layout", to_bytes(same_appearance(session, inverted))),
    ]


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def main(path: Path) -> None:
    """Make every edit by self-guidance, and write them side by side to PATH."""
    model = load_model(device="cpu")
    perceptual = perceptual_metric(model)
    settings = replace(DEFAULTS, mode=Mode.REGENERATE)
    photo, prompt = bundled(PHOTO)
    hints = Hints(sources={name: SourcePhoto(*bundled(name)) for name in OTHERS})
    pictures = [("photo", photo.rgb)]
    for name, edits in EDITS.items():
        done = edit(model, photo, prompt, *edits, hints=hints, settings=settings, perceptual=perceptual)
        pictures.append(labelled(name, done))
    pictures += whole_pictures(model, photo, prompt)
    drawn = generate(model, DRAWN, settings=replace(DEFAULTS, seed=DRAWN_SEED))
    pictures.append((f"drawn: {DRAWN[10:]}", drawn.rgb))
    done = edit(model, drawn, DRAWN, DRAWN_EDIT, settings=settings, perceptual=perceptual)
    pictures.append(labelled("the same: move ball by 0, 0.15", done))
    contact_sheet(pictures).save(path)


if __name__ == "__main__":
    main()
