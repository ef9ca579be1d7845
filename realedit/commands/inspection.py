"""Commands that change nothing: what the model sees in a photo, how well it holds it, and how faithful an edit is.
Heavy imports stay inside functions: help needs this module."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import EditError, ModelError, RealEditError
from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.options import FORCE, JSON, MAX_LPIPS, OUTPUT
from realedit.commands.parameter_types import FILE
from realedit.commands.progress import ShowStage
from realedit.files.kinds import PIPE
from realedit.jobs.model_run import quiet_libraries
from realedit.settings import Settings

if TYPE_CHECKING:
    from realedit.files.photo import Photo
    from realedit.sampling.inverted_image import InvertedImage


@click.command()
@click.argument("photo", type=FILE)
@OUTPUT
@FORCE
@run_options
def objects(shared: RunOptions, photo: Path, output: Path | None, force: bool) -> None:
    """Show what the model sees: every phrase with its place, its size and its attention.

    Example: realedit objects photo.png --prompt "a photo of a red ball on a table"
    """
    from realedit.files.reading import PhotoFile
    from realedit.files.writing import check_outputs, save_sheet

    file = PhotoFile.open(photo)
    output = output or beside(photo, "objects", ".png")
    check_outputs((output,), (), force=force, inputs=(photo,))
    prompt, loaded = shared.prompt_of(photo, file).text, file.photo
    with shared.stages() as show:
        show(shared.loading)
        model = shared.model
        from realedit.objects.overview import attention_sheet, overview
        from realedit.objects.recognition import require_known
        from realedit.sampling.inverted_image import model_image
        from realedit.sampling.session import Session

        require_known(Session(model), model_image(model, loaded), prompt)
        inverted = _inverted(shared, loaded, prompt, show)
        show("finding the objects")
        found = overview(model, loaded, inverted)
        save_sheet(attention_sheet(inverted, found), output)
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
    from realedit.files.reading import PhotoFile

    file = PhotoFile.open(photo)
    prompt, loaded = shared.prompt_of(photo, file).text, file.photo
    with shared.stages() as show:
        show(shared.loading)
        model = shared.model
        from realedit.commands.edit_checks import reconstruction_quality
        from realedit.evaluation.perceptual import perceptual_metric
        from realedit.evaluation.report import faithfulness_line

        perceptual = perceptual_metric(model, offline=shared.which.offline)
        with model.metered() as meter:
            inverted = _inverted(shared, loaded, prompt, show)
        show("measuring")
        rebuilt, bound = reconstruction_quality(model, inverted, perceptual)
    cost, cached = meter.forward_equivalents, inverted.cached
    if shared.as_json:
        said: dict[str, object] = {"reconstruction": rebuilt.as_dict(), "autoencoder": bound.as_dict()}
        said |= {"evaluations": cost, "from_cache": cached}
        click.echo(json.dumps(said, indent=2))
        return
    click.echo(f"reconstruction  {faithfulness_line(rebuilt)}")
    click.echo(f"autoencoder     {faithfulness_line(bound)} (the best any inversion can do)")
    click.echo(f"cost            {cost:.0f} network evaluations{', from the cache' if cached else ''}")
    shared.say(perceptual.note or "", when=perceptual.note is not None)


def _inverted(shared: RunOptions, photo: "Photo", prompt: str, show: ShowStage) -> "InvertedImage":
    """What the model sees in a photo."""
    from realedit.sampling.inverted_image import invert_photo
    from realedit.sampling.session import Session

    settings = Settings(steps=shared.steps, seed=shared.seed, method=shared.method)
    return invert_photo(Session(shared.model, settings, show), photo, prompt)


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--region", type=FILE, help="Mask that is white where changes are allowed.")
@MAX_LPIPS
@JSON
def check(before: Path, after: Path, region: Path | None, max_lpips: float | None, as_json: bool) -> None:
    """Measure how faithful an edit is, also one made by another program.

    Example: realedit check photo.png moved.png --region mask.png --max-lpips 0.05
    """
    from realedit.files.reading import PhotoFile

    one, two = PhotoFile.open(before), PhotoFile.open(after)
    if one.size != two.size:
        raise EditError(
            f"{before.name} is {one.size[0]}x{one.size[1]}, {after.name} is {two.size[0]}x{two.size[1]}; "
            "both must have the same size"
        )
    from realedit.objects.user_masks import load_mask

    allowed = load_mask(region, one.photo) if region is not None else None
    quiet_libraries()
    from inversion.loading import load_model
    from realedit.evaluation.comparison import compare
    from realedit.evaluation.perceptual import perceptual_metric
    from realedit.evaluation.report import faithfulness_line

    perceptual = perceptual_metric(load_model())
    if max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    report = compare(one.photo, two.photo, allowed, perceptual)
    click.echo(json.dumps(report.as_dict(), indent=2) if as_json else faithfulness_line(report))
    if perceptual.note and not as_json:
        click.echo(f"realedit: {perceptual.note}", err=True)
    if max_lpips is not None and report.perceptual > max_lpips:
        raise RealEditError(f"LPIPS is {report.perceptual:.4f}, above {max_lpips:g}")
