"""Commands that change nothing: what the model sees in a photo, how well it holds it, how faithful an
edit is, and what is kept for later."""

import json
import math
from pathlib import Path

import click

from inversion.errors import EditError, ModelError, RealEditError
from realedit.commands.context import RunOptions, beside, quiet_libraries, run_options
from realedit.commands.options import output_options, settings_from
from realedit.commands.parameter_types import FILE
from realedit.files.kinds import PIPE


@click.command()
@click.argument("photo", type=FILE)
@output_options
@run_options
def objects(shared: RunOptions, photo: Path, output: Path | None, force: bool) -> None:
    """Show what the model sees: every phrase with its place, its size and its attention.

    Example: realedit objects photo.png --prompt "a photo of a red ball on a table"
    """
    from realedit.files.reading import load_photo
    from realedit.files.writing import check_output, save_sheet

    loaded = load_photo(photo)
    output = output or beside(photo, "objects", ".png")
    check_output(output, force=force, inputs=(photo,))
    prompt = shared.prompt_of(photo, loaded)
    model = shared.load()
    from realedit.objects.overview import attention_sheet, overview
    from realedit.sampling.inverted_image import invert_photo

    with shared.progress(3 * shared.steps) as on_step:
        seen = invert_photo(
            model,
            loaded,
            prompt,
            settings_from(shared.steps, shared.seed),
            shared.method,
            lambda i: on_step("inverting"),
        )
    found = overview(model, loaded, seen)
    sheet = attention_sheet(seen, found)
    save_sheet(sheet, output)
    piped = output == PIPE
    if shared.as_json:
        click.echo(json.dumps([o.as_dict() for o in found], indent=2), err=piped)
    else:
        for o in found:
            place = f"({o.position[0]:.3f}, {o.position[1]:.3f})  size {o.size:.1%}  attention {o.prominence:.2f}"
            click.echo(f"{o.phrase:<28} {place}", err=piped)
    shared.say(f"wrote {output}", when=not shared.as_json and not piped)


@click.command()
@click.argument("photo", type=FILE)
@run_options
def invert(shared: RunOptions, photo: Path) -> None:
    """Find the noise in which the model holds a photo, and keep it for later edits."""
    from realedit.files.reading import load_photo

    loaded = load_photo(photo)
    prompt = shared.prompt_of(photo, loaded)
    model = shared.load()
    import torch

    from realedit.evaluation.metrics import compare
    from realedit.evaluation.perceptual import perceptual_metric
    from realedit.evaluation.report import faithfulness_line
    from realedit.sampling.inverted_image import invert_photo, reconstruct

    perceptual = perceptual_metric(model, offline=shared.which.offline)
    with shared.progress(3 * shared.steps) as on_step, model.metered() as meter:
        seen = invert_photo(
            model,
            loaded,
            prompt,
            settings_from(shared.steps, shared.seed),
            shared.method,
            lambda i: on_step("inverting"),
        )
    everywhere = torch.ones_like(seen.image[:, :1])
    bound = compare(seen.image, model.decode(model.encode(seen.image)).cpu(), everywhere, perceptual)
    rebuilt = compare(seen.image, reconstruct(model, seen.reference), everywhere, perceptual)
    if shared.as_json:
        click.echo(
            json.dumps(
                {
                    "reconstruction": vars(rebuilt),
                    "autoencoder": vars(bound),
                    "evaluations": meter.forward_equivalents,
                    "from_cache": seen.cached,
                },
                indent=2,
            )
        )
        return
    click.echo(f"reconstruction  {faithfulness_line(rebuilt)}")
    click.echo(f"autoencoder     {faithfulness_line(bound)} (the best any inversion can do)")
    click.echo(
        f"cost            {meter.forward_equivalents:.0f} network evaluations"
        + (", from the cache" if seen.cached else "")
    )
    shared.say(perceptual.note or "", when=perceptual.note is not None)


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--region", type=FILE, help="Mask that is white where changes are allowed.")
@click.option("--max-lpips", type=click.FloatRange(min=0), help="Exit 1 if the rest changed more than this.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead of text.")
def check(before: Path, after: Path, region: Path | None, max_lpips: float | None, as_json: bool) -> None:
    """Measure how faithful an edit is, also one made by another program.

    Example: realedit check photo.png moved.png --region mask.png --max-lpips 0.05
    """
    from realedit.files.reading import load_photo
    from realedit.objects.user_masks import load_mask

    one, two = load_photo(before), load_photo(after)
    if one.size != two.size:
        raise EditError(
            f"{before.name} is {one.size[0]}x{one.size[1]}, {after.name} is {two.size[0]}x{two.size[1]}; "
            "both must have the same size"
        )
    allowed = load_mask(region, one.size) if region is not None else None
    quiet_libraries()
    import torch

    from inversion.loading import load_model
    from realedit.evaluation.perceptual import perceptual_metric
    from realedit.evaluation.report import compare_photos, faithfulness_line

    perceptual = perceptual_metric(load_model())
    if max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    outside = 1 - allowed if allowed is not None else torch.ones(1, 1, one.size[1], one.size[0])
    report = compare_photos(one, two, outside, perceptual)
    values = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in vars(report).items()}
    click.echo(json.dumps(values, indent=2) if as_json else faithfulness_line(report))
    if perceptual.note and not as_json:
        click.echo(f"realedit: {perceptual.note}", err=True)
    if max_lpips is not None and report.perceptual > max_lpips:
        raise RealEditError(f"LPIPS is {report.perceptual:.4f}, above {max_lpips:g}")


@click.group()
def cache() -> None:
    """The recorded inversions that later edits reuse."""


@cache.command("ls")
def cache_ls() -> None:
    """List what is kept, last used first."""
    from realedit.sampling.cache import entries, limit

    kept = entries()
    for entry in kept:
        click.echo(f"{entry.bytes / 1e6:8.1f} MB  {entry.path.name}")
    total = sum(entry.bytes for entry in kept)
    click.echo(f"realedit: {total / 1e6:.1f} of at most {limit() / 1e6:.0f} MB", err=True)


@cache.command("clear")
def cache_clear() -> None:
    """Delete every kept inversion."""
    from realedit.sampling.cache import clear

    gone = clear()
    click.echo(f"deleted {len(gone)} references, {sum(e.bytes for e in gone) / 1e6:.1f} MB")


@cache.command("path")
def cache_path() -> None:
    """Print the folder."""
    from realedit.sampling.cache import folder

    click.echo(str(folder()))


COMMANDS = (objects, invert, check, cache)
