"""The main job on a bundled photo. Heavy imports stay inside functions: help needs this module."""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.commands.context import RunOptions, run_options
from realedit.commands.output_options import FileOptions
from realedit.commands.parameter_types import FILE

if TYPE_CHECKING:
    from realedit.edits import Move


def bundled_example() -> tuple[Path, "Move"]:
    """The path of a bundled photo, and the edit of it that is shown."""
    from inversion.weights import bundled_samples
    from realedit.edits import Move

    photos = bundled_samples() / "photos"
    example = json.loads((photos / "demo.json").read_text())
    return photos / example["photo"], Move(example["object"], to=tuple(example["to"]))


@click.command()
@click.option("--out-dir", type=FILE, default=Path("realedit-demo"), show_default=True, help="Where to write.")
@click.option("--force", is_flag=True, help="Replace the files of an earlier demo.")
@run_options
def demo(shared: RunOptions, out_dir: Path, force: bool) -> None:
    """Move an object in a bundled photo: the whole job, offline, in under a minute."""
    from realedit.commands.edit_job import run_job
    from realedit.commands.results import Outputs
    from realedit.files.reading import PhotoFile
    from realedit.files.recipe import Recipe
    from realedit.files.writing import check_folder
    from realedit.jobs.edit_job import EditJob

    with contextlib.suppress(OSError):
        out_dir.mkdir(parents=True, exist_ok=True)
    check_folder(out_dir)
    outputs = Outputs(
        out_dir / "after.png",
        out_dir / "before-after.png",
        report=out_dir / "report.json",
        sidecar=False,
        files=FileOptions(force=force),
    )
    photo, move = bundled_example()
    outputs.check((photo,))
    shared.say(f'moving the "{move.object}" of {photo.name} to {",".join(f"{v:g}" for v in move.to or ())}')
    recipe = Recipe(edit=(move,), method=shared.method, steps=shared.steps, seed=shared.seed)
    run_job(shared, EditJob(photo, PhotoFile.open(photo), recipe), outputs)
