"""Commands that draw whole pictures: from words, or from a photo with its layout or its look kept. Heavy imports stay
inside functions: help needs this module."""

from pathlib import Path
from typing import Any

import click

from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.engine_options import (
    GUIDER,
    ClassOptions,
    ControlOptions,
    EngineOptions,
    class_options,
    control_options,
    engine_options,
)
from realedit.commands.marks import MarkOptions, mark_options
from realedit.commands.output_options import DrawingOptions, drawing_options, variation_options
from realedit.commands.parameter_types import FILE, SIZE, WORDS, Coordinates
from realedit.files.captions import Prompt
from realedit.files.kinds import PIPE, edited_suffix
from realedit.jobs.result_names import FROM_WORDS, RESULT_WORDS


@click.command()
@click.option("--size", type=SIZE, help="WIDTH,HEIGHT in pixels; default: the model's own.")
@GUIDER
@control_options
@class_options
@drawing_options
@run_options
def generate(
    shared: RunOptions,
    size: Coordinates | None,
    guider: str,
    followed: ControlOptions,
    shown: ClassOptions,
    options: DrawingOptions,
) -> None:
    """Draw a picture from --prompt and keep how it came about, so that every edit works on it without
    inversion.

    Example: realedit generate --prompt "a red ball on a wooden table" --seed 3 -o drawn.png
    """
    if not shared.prompt:
        raise click.UsageError("say what to draw with --prompt")
    from realedit.commands.generation_job import run_whole
    from realedit.commands.one_edit import in_unicode
    from realedit.commands.results import Outputs
    from realedit.generations import TextToImage
    from realedit.jobs.generation_job import GenerationJob

    output = options.output or Path(FROM_WORDS + options.suffix)
    asked = (int(size.values[0]), int(size.values[1])) if size else None
    values = {"size": asked, "steps": shared.steps, "seed": shared.seed, "guider": guider}
    whole = TextToImage.model_validate(
        {**values, **in_unicode({"controls": followed.controls(), "classes": shown.guidance()})}
    )
    outputs = Outputs(output, sidecar=options.sidecar and output != PIPE, files=options.files)
    run_whole(shared, GenerationJob(whole, Prompt(shared.prompt, shared.said_in)), outputs)


@click.command()
@click.argument("photo", type=FILE)
@click.option("--as", "words", type=WORDS, help="The prompt of the new picture; default: the photo's own.")
@engine_options
@GUIDER
@control_options
@class_options
@mark_options
@variation_options
@run_options
def relook(
    shared: RunOptions,
    photo: Path,
    words: str | None,
    chosen: EngineOptions,
    guider: str,
    followed: ControlOptions,
    shown: ClassOptions,
    marks: MarkOptions,
    options: DrawingOptions,
) -> None:
    """Draw a new picture in a photo's layout: its objects keep their shapes and places, not their looks. Or, with
    another --engine, draw the photo itself anew, or what is marked of it.

    Example: realedit relook photo.png --as "a photo of a blue ball and a green can" --variations 4
    """
    engine = chosen.engine()
    if engine is None and marks:
        raise click.UsageError("self-guidance draws a whole new picture; give an --engine that edits what is marked")
    suffix = options.suffix if engine is None else edited_suffix(photo, options.files.format)
    output = options.output or beside(photo, RESULT_WORDS["relook"], suffix)
    from realedit.commands.generation_batch import asked_of_part, vary

    asked: dict[str, Any] = {"kind": "relook", "as": words, "guider": guider, "controls": followed.controls()}
    asked |= {"classes": shown.guidance()}
    if engine is not None:
        asked |= {"kind": "redraw", "engine": engine}
    vary(shared, photo, asked_of_part(shared, asked, marks), output, options)


@click.command()
@click.argument("photo", type=FILE)
@variation_options
@run_options
def relayout(shared: RunOptions, photo: Path, options: DrawingOptions) -> None:
    """Draw a new picture of a photo's objects: they keep their looks, not their places.

    Example: realedit relayout photo.png --seed 5 --variations 4
    """
    output = options.output or beside(photo, RESULT_WORDS["relayout"], options.suffix)
    from realedit.commands.generation_batch import vary
    from realedit.generations import SameAppearance

    first = SameAppearance(method=shared.method, steps=shared.steps, seed=shared.seed)
    vary(shared, photo, lambda file: first, output, options)


@click.command()
@click.argument("photo", type=FILE)
@click.option("--as", "words", type=WORDS, help="What the whole photo shows then; default: its own prompt.")
@click.option(
    "--fill",
    "choice",
    default="auto",
    show_default=True,
    help="repaint (if the model knows the photo), migan, photo, or an inpainting model (folder, hub id, .onnx).",
)
@click.option("--jump", type=click.IntRange(1), help="repaint: levels that a jump goes back [10].")
@click.option("--repeats", type=click.IntRange(1, 50), help="repaint: how often each stretch is drawn [10].")
@control_options
@mark_options
@drawing_options
@run_options
def fill(
    shared: RunOptions,
    photo: Path,
    words: str | None,
    choice: str,
    jump: int | None,
    repeats: int | None,
    followed: ControlOptions,
    marks: MarkOptions,
    options: DrawingOptions,
) -> None:
    """Fill what is marked in a photo; all other pixels stay.

    Example: realedit fill photo.png --mask hole.png --as "a photo of a wooden table" -o filled.png
    """
    if not marks:
        raise click.UsageError("say what to fill: --mask, --box, --point or --around")
    output = options.output or beside(photo, RESULT_WORDS["fill"], edited_suffix(photo, options.files.format))
    from realedit.commands.generation_batch import asked_of_part, vary

    how = {name: value for name, value in (("jump", jump), ("repeats", repeats)) if value is not None}
    asked = {"kind": "fill", "fill": choice, "as": words, "repaint": how, "controls": followed.controls()}
    vary(shared, photo, asked_of_part(shared, asked, marks), output, options)
