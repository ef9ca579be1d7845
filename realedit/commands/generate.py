"""Commands that draw whole pictures: from words, or from a photo with its layout or its look kept."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.commands.batch import BatchEntry, for_each, gather
from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.edit_job import Outputs
from realedit.commands.generation_job import GenerationJob, run_whole
from realedit.commands.options import OUTPUT, SIDECAR, EditOptions, FileOptions, file_options
from realedit.commands.parameter_types import FILE, SIZE, Coordinates
from realedit.files.kinds import PIPE
from realedit.generations import Generation, GlobalAppearance, SameAppearance, SameLayout, TextToImage

if TYPE_CHECKING:
    from realedit.files.photo import Photo

VARIATIONS = click.option(
    "--variations", type=click.IntRange(1, 64), default=1, show_default=True, help="Pictures, each with its own seed."
)


@click.command()
@click.option("--size", type=SIZE, help="WIDTH,HEIGHT in pixels; default: the model's own.")
@OUTPUT
@SIDECAR
@file_options
@run_options
def generate(
    shared: RunOptions, size: Coordinates | None, output: Path | None, files: FileOptions, sidecar: bool
) -> None:
    """Draw a picture from --prompt and keep how it came about, so that every edit works on it without
    inversion.

    Example: realedit generate --prompt "a red ball on a wooden table" --seed 3 -o drawn.png
    """
    if not shared.prompt:
        raise click.UsageError("say what to draw with --prompt")
    output = output or Path("generated" + _suffix(files))
    asked = (int(size.values[0]), int(size.values[1])) if size else None
    whole = TextToImage(size=asked, steps=shared.steps, seed=shared.seed)
    outputs = Outputs(output, sidecar=sidecar and output != PIPE, files=files)
    run_whole(shared, GenerationJob(whole, shared.prompt), outputs, shared.load)


@click.command()
@click.argument("photo", type=FILE)
@click.option("--as", "words", help="The prompt of the new picture; default: the photo's own.")
@VARIATIONS
@OUTPUT
@SIDECAR
@file_options
@run_options
def relook(
    shared: RunOptions,
    photo: Path,
    words: str | None,
    variations: int,
    output: Path | None,
    files: FileOptions,
    sidecar: bool,
) -> None:
    """Draw a new picture in a photo's layout: its objects keep their shapes and places, not their looks.

    Example: realedit relook photo.png --as "a photo of a blue ball and a green can" --variations 4
    """

    def whole(seed: int) -> Generation:
        return SameLayout(words=words, method=shared.method, steps=shared.steps, seed=seed)

    _vary(shared, photo, variations, output or beside(photo, "relook", _suffix(files)), files, whole, sidecar=sidecar)


@click.command()
@click.argument("photo", type=FILE)
@VARIATIONS
@OUTPUT
@SIDECAR
@file_options
@run_options
def relayout(
    shared: RunOptions, photo: Path, variations: int, output: Path | None, files: FileOptions, sidecar: bool
) -> None:
    """Draw a new picture of a photo's objects: they keep their looks, not their places.

    Example: realedit relayout photo.png --seed 5 --variations 4
    """

    def whole(seed: int) -> Generation:
        return SameAppearance(method=shared.method, steps=shared.steps, seed=seed)

    _vary(shared, photo, variations, output or beside(photo, "relayout", _suffix(files)), files, whole, sidecar=sidecar)


def _suffix(files: FileOptions) -> str:
    return f".{files.format or 'png'}"


def _vary(
    shared: RunOptions,
    path: Path,
    variations: int,
    output: Path,
    files: FileOptions,
    whole: Callable[[int], Generation],
    *,
    sidecar: bool,
) -> None:
    """Draw pictures with seeds from the given one on; several get numbers and a contact sheet."""
    from realedit.files.reading import load_photo
    from realedit.files.writing import check_output, save_sheet

    if variations > 1 and output == PIPE:
        raise click.UsageError("standard output holds one picture; give -o a name for several")
    loaded = load_photo(path)
    results = [output]
    if variations > 1:
        results = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, variations + 1)]
    every = [Outputs(r, sidecar=sidecar and PIPE not in (path, r), files=files) for r in results]
    for each in every:
        each.check((path,))
    sheet = output.with_name(f"{output.stem}-sheet.png")
    if variations > 1:
        check_output(sheet, force=files.force, inputs=(path,))
    prompt, load = shared.prompt_of(path, loaded), functools.cache(shared.load)
    drawn = []
    for k, outputs in enumerate(every):
        job = GenerationJob(whole(shared.seed + k), prompt, path, loaded)
        drawn.append((f"seed {shared.seed + k}", run_whole(shared, job, outputs, load)[0].rgb))
    if variations > 1:
        from realedit.files.contact_sheet import contact_sheet

        save_sheet(contact_sheet([("photo", loaded.displayed()), *drawn]), sheet)
        shared.say(f"wrote {sheet}")


def transfer_whole(
    shared: RunOptions, photos: tuple[Path, ...], source: Path, from_prompt: str | None, options: EditOptions
) -> None:
    """The part of `transfer` that changes whole photos."""
    if (
        options.mask
        or options.box
        or options.point
        or options.segmenter
        or options.before_after
        or options.work
        or options.max_lpips
    ):
        raise click.UsageError("--whole changes all of the photo: it takes no region, and writes the result alone")
    from realedit.files.reading import load_photo

    other_prompt = from_prompt or replace(shared, prompt=None).prompt_of(source, load_photo(source))
    whole = GlobalAppearance(
        photo=str(source), prompt=other_prompt, method=shared.method, steps=shared.steps, seed=shared.seed
    )
    load = functools.cache(shared.load)

    def one(item: BatchEntry, photo: "Photo", result: Path) -> None:
        sidecar = options.sidecar and PIPE not in (item.photo, result)
        job = GenerationJob(whole, shared.prompt_of(item.photo, photo), item.photo, photo)
        run_whole(shared, job, Outputs(result, sidecar=sidecar, files=options.files), load)

    for_each(shared, gather(photos), options, "transferred", one)


COMMANDS = (generate, relook, relayout)
