"""Commands that draw whole pictures: from words, or from a photo with its layout or its look kept."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.batch import Item, for_each, gather
from realedit.files.kinds import PIPE
from realedit.jobs import ways_to_save
from realedit.options import FILE, OUTPUT, SIZE, EditOptions, FileOptions, Numbers, file_options, settings_from
from realedit.running import Common, beside, common

if TYPE_CHECKING:
    from torch import Tensor

    from inversion.model import DiffusionModel
    from realedit.files.photo import Photo
    from realedit.inverting import Seen

VARIATIONS = click.option(
    "--variations", type=click.IntRange(1, 64), default=1, show_default=True, help="Pictures, each with its own seed."
)


@click.command()
@click.option("--size", type=SIZE, help="WIDTH,HEIGHT in pixels; default: the model's own.")
@OUTPUT
@file_options
@common
def generate(shared: Common, size: Numbers | None, output: Path | None, files: FileOptions) -> None:
    """Draw a picture from --prompt and keep how it came about, so that every edit works on it without
    inversion.

    Example: realedit generate --prompt "a red ball on a wooden table" --seed 3 -o drawn.png
    """
    from realedit.files.exif import described
    from realedit.files.photo import Photo
    from realedit.files.writing import check_output, save_photo
    from realedit.files.xmp import Source
    from realedit.images import to_bytes

    if not shared.prompt:
        raise click.UsageError("say what to draw with --prompt")
    output = output or Path("generated" + _suffix(files))
    check_output(output, force=files.force)
    saving, signer = ways_to_save(files, Source.GENERATED)
    model = shared.load()
    from realedit.drawing import generate as draw
    from realedit.images import working_size

    side = model.native_size
    asked = (int(size.values[0]), int(size.values[1])) if size else (side, side)
    fitting = working_size(asked, side, model.pixel_multiple)
    if size and fitting != asked:
        shared.say(f"drawn at {fitting[0]}x{fitting[1]}, the nearest that the model can")
    with shared.progress(2 * shared.steps) as on_step:
        seen = draw(
            model, shared.prompt, fitting, settings_from(shared.steps, shared.seed), lambda i: on_step("drawing")
        )
    picture = Photo(to_bytes(seen.small), description=shared.prompt, exif=described(shared.prompt))
    save_photo(picture, output, saving, signer)
    shared.say(f"wrote {output}", when=output != PIPE)


@click.command()
@click.argument("photo", type=FILE)
@click.option("--as", "words", help="The prompt of the new picture; default: the photo's own.")
@VARIATIONS
@OUTPUT
@file_options
@common
def relook(
    shared: Common, photo: Path, words: str | None, variations: int, output: Path | None, files: FileOptions
) -> None:
    """Draw a new picture in a photo's layout: its objects keep their shapes and places, not their looks.

    Example: realedit relook photo.png --as "a photo of a blue ball and a green can" --variations 4
    """
    from realedit.drawing import new_look

    def draw(model: "DiffusionModel", seen: "Seen", seed: int, on_step: Callable[[int], None]) -> "Tensor":
        settings = settings_from(shared.steps, shared.seed)
        return new_look(model, seen, words or seen.reference.header.prompt, seed, settings, on_step)

    _vary(shared, photo, variations, output or beside(photo, "relook", _suffix(files)), files, draw)


@click.command()
@click.argument("photo", type=FILE)
@VARIATIONS
@OUTPUT
@file_options
@common
def relayout(shared: Common, photo: Path, variations: int, output: Path | None, files: FileOptions) -> None:
    """Draw a new picture of a photo's objects: they keep their looks, not their places.

    Example: realedit relayout photo.png --seed 5 --variations 4
    """
    from realedit.drawing import new_layout

    def draw(model: "DiffusionModel", seen: "Seen", seed: int, on_step: Callable[[int], None]) -> "Tensor":
        return new_layout(model, seen, seed, settings_from(shared.steps, shared.seed), on_step)

    _vary(shared, photo, variations, output or beside(photo, "relayout", _suffix(files)), files, draw)


def _suffix(files: FileOptions) -> str:
    return f".{files.format or 'png'}"


def _vary(
    shared: Common,
    path: Path,
    variations: int,
    output: Path,
    files: FileOptions,
    draw: Callable[["DiffusionModel", "Seen", int, Callable[[int], None]], "Tensor"],
) -> None:
    """Draw pictures with seeds from the given one on; several get numbers and a contact sheet."""
    from realedit.files.photo import Photo
    from realedit.files.reading import load_photo
    from realedit.files.writing import check_output, save_photo, save_sheet
    from realedit.files.xmp import Source
    from realedit.images import to_bytes

    if variations > 1 and output == PIPE:
        raise click.UsageError("standard output holds one picture; give -o a name for several")
    loaded = load_photo(path)
    paths = [output]
    if variations > 1:
        paths = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, variations + 1)]
    sheet = output.with_name(f"{output.stem}-sheet.png")
    for each in [*paths, *([sheet] if variations > 1 else [])]:
        check_output(each, force=files.force, inputs=(path,))
    prompt, (saving, signer) = shared.prompt_of(path, loaded), ways_to_save(files, Source.GENERATED)
    model = shared.load()
    from realedit.locating import see_whole
    from realedit.tiles import contact_sheet

    settings = settings_from(shared.steps, shared.seed)
    with shared.progress((3 + variations) * shared.steps) as on_step:
        seen = see_whole(model, loaded, prompt, settings, shared.method, lambda i: on_step("inverting"))
        drawn = [("photo", to_bytes(seen.small))]
        for k, each in enumerate(paths):
            picture = to_bytes(draw(model, seen, shared.seed + k, lambda i: on_step("drawing")))
            save_photo(Photo(picture), each, saving, signer)
            drawn.append((f"seed {shared.seed + k}", picture))
            shared.say(f"wrote {each}", when=each != PIPE)
    if variations > 1:
        pictures = contact_sheet(drawn)
        save_sheet(pictures, sheet)
        shared.say(f"wrote {sheet}")


def transfer_whole(
    shared: Common, photos: tuple[Path, ...], source: Path, from_prompt: str | None, options: EditOptions
) -> None:
    """The part of `transfer` that changes whole photos."""
    if options.mask or options.box or options.point or options.before_after or options.work or options.max_lpips:
        raise click.UsageError("--whole changes all of the photo: it takes no region, and writes the result alone")
    from realedit.files.reading import load_photo
    from realedit.files.writing import check_output, parent_of, save_photo

    other = load_photo(source)
    other_prompt = from_prompt or replace(shared, prompt=None).prompt_of(source, other)
    saving, signer = ways_to_save(options.files)
    load, settings = functools.cache(shared.load), settings_from(shared.steps, shared.seed)

    def one(item: Item, photo: "Photo", result: Path) -> None:
        check_output(result, force=options.files.force, inputs=(item.photo, source))
        prompt = shared.prompt_of(item.photo, photo)
        model = load()
        from realedit.drawing import in_the_look_of
        from realedit.locating import see_whole

        with shared.progress(7 * shared.steps) as on_step:
            seen, there = (
                see_whole(model, each, text, settings, shared.method, lambda i: on_step("inverting"))
                for each, text in ((photo, prompt), (other, other_prompt))
            )
            edited = in_the_look_of(model, photo, seen, there, settings, lambda i: on_step("drawing"))
        save_photo(edited, result, saving, signer, parent_of(item.photo, photo) if signer else None)
        shared.say(f"wrote {result}", when=result != PIPE)

    for_each(shared, gather(photos), options, "transferred", one)


COMMANDS = (generate, relook, relayout)
