"""The command that shows what is selected before it is used. Heavy imports stay inside functions: help needs this
module."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import EditError
from inversion.phrases import find_phrase
from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.marks import MarkOptions, mark_options
from realedit.commands.options import FORCE, OUTPUT
from realedit.commands.parameter_types import FILE, WORDS
from realedit.files.kinds import PIPE
from realedit.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.files.photo import Photo


@click.command()
@click.argument("photo", type=FILE)
@click.argument("words", type=WORDS, required=False)
@mark_options
@OUTPUT
@FORCE
@run_options
def mask(
    shared: RunOptions, photo: Path, words: str | None, marks: MarkOptions, output: Path | None, force: bool
) -> None:
    """Select an object as an edit with the same options would, and show it: writes the mask, and beside it the photo
    with its outline. Marks go before WORDS, which need a model; a mask is white on black.

    Example: realedit mask photo.jpg --point 0.4,0.6 --not 0.5,0.9 -o mask.png
    """
    if not marks and words is None:
        raise click.UsageError("say what to select: WORDS of the prompt, or --box, --point or --around")
    from PIL import Image

    from realedit.files.reading import load_photo
    from realedit.files.writing import check_outputs, save_mask, save_sheet
    from realedit.objects.outline import outlined

    output = output or beside(photo, "mask", ".png")
    outline = output.with_name(f"{output.stem}-outline.png") if output != PIPE else None
    if output != PIPE and output.suffix.lower() != ".png":
        raise EditError(f"{output.name} is no PNG; give -o a name that ends in .png, which holds a mask exactly")
    inputs = (photo, *(path for path in (marks.mask, marks.around) if path is not None))
    check_outputs((output, *([outline] if outline else [])), (), force=force, inputs=inputs)
    loaded = load_photo(photo)
    found = _marked(shared, loaded, words, marks) if marks else _named(shared, photo, loaded, words or "")
    save_mask(found[0, 0].numpy() > 0.5, output)
    if outline is not None:
        save_sheet(Image.fromarray(outlined(loaded, found)), outline)
    from realedit.geometry.boxes import mask_box, mask_centre

    said = {"position": mask_centre(found), "size": float(found.mean()), "box": mask_box(found)}
    if shared.as_json:
        click.echo(json.dumps(said, indent=2), err=output == PIPE)
        return
    place = ", ".join(f"{v:.3f}" for v in mask_centre(found))
    shared.say(f"selected {float(found.mean()):.1%} of the photo around ({place})")
    if outline is not None:
        shared.say(f"wrote {output} and {outline.name}")


def _marked(shared: RunOptions, photo: "Photo", words: str | None, marks: MarkOptions) -> "Tensor":
    """The mask (1, 1, H, W) of what is marked; no diffusion model is loaded."""
    from realedit.commands.one_edit import in_fractions
    from realedit.geometry.region import Region
    from realedit.jobs.model_run import quiet_libraries
    from realedit.jobs.regions import region_mask
    from realedit.objects.source_objects import UNNAMED

    quiet_libraries(notices=not shared.quiet)
    where = Region.model_validate(in_fractions(marks.where(), photo.size))
    return region_mask(where, photo, words or UNNAMED, Path(), offline=shared.which.offline)


def _named(shared: RunOptions, path: Path, photo: "Photo", words: str) -> "Tensor":
    """The mask (1, 1, H, W) of what words of the prompt name, as the model sees it."""
    prompt = shared.prompt_of(path, photo, [words]).text
    find_phrase(prompt, words)  # a wrong word is said before anything slow is done
    with shared.stages() as show:
        show(shared.loading)
        model = shared.model
        from realedit.jobs.regions import named_mask
        from realedit.sampling.session import Session

        settings = Settings(steps=shared.steps, seed=shared.seed, method=shared.method)
        return named_mask(Session(model, settings, show), photo, prompt, words)
