"""Commands that run recipes, and results' sidecars, which are recipes too. Heavy imports stay inside functions: help
needs this module."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import EditError, RealEditError
from realedit.commands.batch import run_jobs
from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.one_edit import PHOTO_ARGUMENT
from realedit.commands.options import JSON, QUIET
from realedit.commands.output_options import Acceptance, EditOptions, FileOptions, file_options, result_options
from realedit.commands.parameter_types import FILE
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from realedit.commands.results import Outputs
    from realedit.files.sidecar import Sidecar


@click.command()
@PHOTO_ARGUMENT
@click.option("--recipe", "recipe_path", type=FILE, required=True, help="TOML file with the edits.")
@result_options
@run_options
def edit(shared: RunOptions, photos: tuple[Path, ...], recipe_path: Path, options: EditOptions) -> None:
    """Make several edits at once, from a recipe. --prompt and --mode go before the recipe's; method, steps and
    seed are the recipe's.

    Example: realedit edit photo.png --recipe edits.toml -o edited.png
    """
    from realedit.files.recipe import read_recipe

    recipe = read_recipe(recipe_path)
    if options.mode is not None:
        recipe = recipe.model_copy(update={"mode": options.mode.value})
    shared = replace(shared, prompt=shared.prompt or recipe.prompt)
    run_jobs(shared, photos, lambda photo: recipe, options, "edited", recipe_path.parent)


@click.command("recipe-schema")
def recipe_schema() -> None:
    """Print the JSON schema of a recipe."""
    from realedit.files.recipe import schema

    click.echo(json.dumps(schema(), indent=2))


@click.command()
@click.argument("result", type=FILE)
@click.option("--photo", type=FILE, help="The photo, if it lies elsewhere now.")
@click.option("-o", "--output", type=FILE, help="Where to write; default: beside the result.")
@file_options
@JSON
@QUIET
def redo(result: Path, photo: Path | None, output: Path | None, files: FileOptions, as_json: bool, quiet: bool) -> None:
    """Make a result again from the sidecar beside it, and say whether its pixels are the same.

    Example: realedit redo moved.png
    """
    from realedit.commands.results import Outputs
    from realedit.files.sidecar import SIDECAR_SUFFIX, read_sidecar

    sidecar = read_sidecar(result)
    result = result.with_name(result.name.removesuffix(SIDECAR_SUFFIX))
    source = _source(sidecar, result, photo)
    shared = RunOptions(
        ModelChoice(sidecar.model, sidecar.revision, sidecar.variant, device=sidecar.device, dtype=sidecar.dtype),
        prompt=sidecar.prompt,
        method=sidecar.recipe.method,
        steps=sidecar.recipe.steps,
        seed=sidecar.recipe.seed,
        as_json=as_json,
        quiet=quiet,
    )
    outputs = Outputs(output or beside(result, "redone"), files=files)
    if _run_again(shared, sidecar, source, result, outputs) != sidecar.pixels_hash:
        raise RealEditError(
            f"the pixels differ from those of {result.name}: another version, model or machine made it; "
            f"the new result is kept as {outputs.result}"
        )
    shared.say("the same pixels")


def _source(sidecar: "Sidecar", result: Path, photo: Path | None) -> Path | None:
    """The photo that a result was made from, if it was one.

    Raises:
        EditError: it is not there any more, or is another.
    """
    from realedit.files.sidecar import file_hash

    if sidecar.photo is None:
        return None
    source = photo or result.parent / sidecar.photo
    if not source.is_file():
        raise EditError(f"the photo {sidecar.photo} is not there any more; say where it is with --photo")
    if file_hash(source) != sidecar.photo_hash:
        raise EditError(f"{source} is not the photo that {result.name} was made from; give that one with --photo")
    return source


def _run_again(shared: RunOptions, sidecar: "Sidecar", source: Path | None, result: Path, outputs: "Outputs") -> str:
    """Make the edits, or the whole picture, of a sidecar. Returns the hash of the pixels."""
    from realedit.commands.edit_job import EditJob, run_job
    from realedit.commands.generation_job import GenerationJob, run_whole
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe

    recipe, folder = sidecar.recipe, result.parent / sidecar.folder
    file = PhotoFile.open(source) if source else None
    if not isinstance(recipe, Recipe):
        return run_whole(
            shared, GenerationJob(recipe, sidecar.prompt, source, file.photo if file else None, folder), outputs
        )[1]
    if source is None or file is None:
        raise EditError(f"the sidecar of {result.name} names no photo; make the edit again")
    return run_job(shared, EditJob(source, file, recipe, folder), outputs, Acceptance(keep_going=True))
