"""Commands that draw whole pictures: from words, or from a photo with its layout or its look kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.options import FILE, SIZE, Numbers, output_options, settings_from
from realedit.running import Common, beside, common

if TYPE_CHECKING:
    from torch import Tensor

    from inversion.model import DiffusionModel
    from realedit.inverting import Seen

VARIATIONS = click.option(
    "--variations", type=click.IntRange(1, 64), default=1, show_default=True, help="Pictures, each with its own seed."
)


@click.command()
@click.option("--size", type=SIZE, help="WIDTH,HEIGHT in pixels; default: the model's own.")
@output_options
@common
def generate(shared: Common, size: Numbers | None, output: Path | None, force: bool) -> None:
    """Draw a picture from --prompt and keep how it came about, so that every edit works on it without
    inversion.

    Example: realedit generate --prompt "a red ball on a wooden table" --seed 3 -o drawn.png
    """
    from realedit.images import Photo, check_output, save_photo, to_bytes

    if not shared.prompt:
        raise click.UsageError("say what to draw with --prompt")
    output = output or Path("generated.png")
    check_output(output, force=force)
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
    save_photo(Photo(to_bytes(seen.small), description=shared.prompt), output)
    if output.suffix.lower() not in (".png", ".tif", ".tiff"):
        shared.say(f"{output.suffix} does not keep the prompt with the picture; give it with --prompt when editing")
    shared.say(f"wrote {output}")


@click.command()
@click.argument("photo", type=FILE)
@click.option("--as", "words", help="The prompt of the new picture; default: the photo's own.")
@VARIATIONS
@output_options
@common
def relook(shared: Common, photo: Path, words: str | None, variations: int, output: Path | None, force: bool) -> None:
    """Draw a new picture in a photo's layout: its objects keep their shapes and places, not their looks.

    Example: realedit relook photo.png --as "a photo of a blue ball and a green can" --variations 4
    """
    from realedit.drawing import new_look

    def draw(model: "DiffusionModel", seen: "Seen", seed: int, on_step: Callable[[int], None]) -> "Tensor":
        settings = settings_from(shared.steps, shared.seed)
        return new_look(model, seen, words or seen.reference.header.prompt, seed, settings, on_step)

    _vary(shared, photo, variations, output or beside(photo, "relook"), force, draw)


@click.command()
@click.argument("photo", type=FILE)
@VARIATIONS
@output_options
@common
def relayout(shared: Common, photo: Path, variations: int, output: Path | None, force: bool) -> None:
    """Draw a new picture of a photo's objects: they keep their looks, not their places.

    Example: realedit relayout photo.png --seed 5 --variations 4
    """
    from realedit.drawing import new_layout

    def draw(model: "DiffusionModel", seen: "Seen", seed: int, on_step: Callable[[int], None]) -> "Tensor":
        return new_layout(model, seen, seed, settings_from(shared.steps, shared.seed), on_step)

    _vary(shared, photo, variations, output or beside(photo, "relayout"), force, draw)


def _vary(
    shared: Common,
    path: Path,
    variations: int,
    output: Path,
    force: bool,
    draw: Callable[["DiffusionModel", "Seen", int, Callable[[int], None]], "Tensor"],
) -> None:
    """Draw pictures with seeds from the given one on; several get numbers and a contact sheet."""
    from realedit.images import Photo, check_output, load_photo, save_photo, to_bytes, write_whole

    loaded = load_photo(path)
    paths = [output]
    if variations > 1:
        paths = [output.with_name(f"{output.stem}-{k}{output.suffix}") for k in range(1, variations + 1)]
    sheet = output.with_name(f"{output.stem}-sheet.png")
    for each in [*paths, *([sheet] if variations > 1 else [])]:
        check_output(each, force=force, inputs=(path,))
    prompt = shared.prompt_of(path, loaded)
    model = shared.load()
    from realedit.inverting import see
    from realedit.tiles import contact_sheet

    settings = settings_from(shared.steps, shared.seed)
    drawn = [("photo", loaded.rgb)]
    with shared.progress((3 + variations) * shared.steps) as on_step:
        seen = see(model, loaded.tensor(), prompt, settings, shared.method, lambda i: on_step("inverting"))
        drawn[0] = ("photo", to_bytes(seen.small))
        for k, each in enumerate(paths):
            picture = to_bytes(draw(model, seen, shared.seed + k, lambda i: on_step("drawing")))
            save_photo(Photo(picture), each)
            drawn.append((f"seed {shared.seed + k}", picture))
            shared.say(f"wrote {each}")
    if variations > 1:
        pictures = contact_sheet(drawn)
        write_whole(sheet, lambda file: pictures.save(file, format="PNG"))
        shared.say(f"wrote {sheet}")


def transfer_whole(
    shared: Common, photo: Path, source: Path, from_prompt: str | None, output: Path, force: bool
) -> None:
    """The part of `transfer` that changes the whole photo."""
    from realedit.images import check_output, load_photo, save_photo, to_bytes

    loaded, other = load_photo(photo), load_photo(source)
    check_output(output, force=force, inputs=(photo, source))
    prompt = shared.prompt_of(photo, loaded)
    other_prompt = from_prompt or replace(shared, prompt=None).prompt_of(source, other)
    model = shared.load()
    from realedit.drawing import whole_look
    from realedit.inverting import see

    settings = settings_from(shared.steps, shared.seed)
    with shared.progress(7 * shared.steps) as on_step:
        seen, there = (
            see(model, each.tensor(), text, settings, shared.method, lambda i: on_step("inverting"))
            for each, text in ((loaded, prompt), (other, other_prompt))
        )
        result = whole_look(model, loaded.tensor(), seen, there, settings, lambda i: on_step("drawing"))
    save_photo(loaded.with_rgb(to_bytes(result)), output)
    shared.say(f"wrote {output}")


COMMANDS = (generate, relook, relayout)
