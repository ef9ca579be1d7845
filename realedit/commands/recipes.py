"""Commands that run recipes, and results' sidecars, which are recipes too. Heavy imports stay inside functions: help
needs this module."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import RealEditError
from realedit.commands.batch import run_jobs
from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.made_results import ALLOW_OUTSIDE, MadeResult, WhereFound, again_options
from realedit.commands.one_edit import PHOTO_ARGUMENT
from realedit.commands.options import JSON, QUIET
from realedit.commands.output_options import Acceptance, EditOptions, FileOptions, file_options, result_options
from realedit.commands.parameter_types import FILE
from realedit.jobs.result_names import SEVERAL

if TYPE_CHECKING:
    from realedit.commands.results import Outputs


@click.command()
@PHOTO_ARGUMENT
@click.option("--recipe", "recipe_path", type=FILE, required=True, help="TOML file with the edits.")
@ALLOW_OUTSIDE
@result_options
@run_options
def edit(
    shared: RunOptions, photos: tuple[Path, ...], recipe_path: Path, allow_outside: bool, options: EditOptions
) -> None:
    """Make several edits at once, from a recipe. --prompt, --mode and --energies go before the recipe's;
    method, steps and seed are the recipe's.

    Example: realedit edit photo.png --recipe edits.toml -o edited.png
    """
    from realedit.files.captions import FROM_RECIPE
    from realedit.files.recipe import Recipe, read_recipe
    from realedit.files.recipe_files import model_from, named_files, named_models, renamed, require_inside

    recipe, folder = read_recipe(recipe_path), recipe_path.parent
    if not allow_outside:
        require_inside(named_files(recipe), folder, folder, "the recipe")
    recipe = renamed(recipe, lambda name: name, lambda name: model_from(folder, name))
    shared.announce(named_models(recipe), "the recipe")
    if options.drawn():
        recipe = Recipe.model_validate({**recipe.model_dump(by_alias=True, exclude_none=True), **options.drawn()})
    if not shared.prompt:
        shared = replace(shared, prompt=recipe.prompt, said_in=FROM_RECIPE)
    run_jobs(shared, photos, lambda photo: recipe, options, SEVERAL, recipe_path)


@click.command("recipe-schema")
def recipe_schema() -> None:
    """Print the JSON schema of a recipe."""
    from realedit.files.recipe import schema

    click.echo(json.dumps(schema(), indent=2))


@click.command()
@click.argument("result", type=FILE)
@again_options
@click.option("-o", "--output", type=FILE, help="Where to write; default: beside the result.")
@file_options
@JSON
@QUIET
def redo(result: Path, found: WhereFound, output: Path | None, files: FileOptions, as_json: bool, quiet: bool) -> None:
    """Make a result again from the sidecar beside it, and say whether its pixels are the same.

    Example: realedit redo moved.png
    """
    from realedit.commands.results import Outputs

    made = MadeResult.read(result, found)
    shared = made.options(as_json=as_json, quiet=quiet)
    outputs = Outputs(output or beside(made.path, "redone"), files=files)
    if _run_again(shared, made, outputs) != made.sidecar.pixels_hash:
        raise RealEditError(f"{made.differs()}; the new result is kept as {outputs.result}")
    shared.say("the same pixels")


def _run_again(shared: RunOptions, made: MadeResult, outputs: "Outputs") -> str:
    """Make the edits, or the whole picture, of a sidecar. Returns the hash of the pixels."""
    from realedit.commands.edit_job import run_job
    from realedit.commands.generation_job import run_whole
    from realedit.files.captions import FROM_SIDECAR, Prompt
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe
    from realedit.jobs.generation_job import GenerationJob

    made.announce(shared)
    job = made.edit_job()
    if job is not None:
        return run_job(shared, job, outputs, Acceptance(keep_going=True))
    whole = made.recipe
    assert not isinstance(whole, Recipe)
    prompt = Prompt(made.sidecar.prompt, made.sidecar.prompt_source or FROM_SIDECAR)
    photo = PhotoFile.open(made.photo).photo if made.photo else None
    return run_whole(shared, GenerationJob(whole, prompt, made.photo, photo, made.folder, made.files), outputs)[1]
