"""The main job on a bundled photo."""

import contextlib
import json
from pathlib import Path

import click

from realedit.commands.context import RunOptions, run_options
from realedit.commands.edit_job import EditJob, Outputs, run_job
from realedit.commands.options import FileOptions
from realedit.commands.parameter_types import FILE
from realedit.files.recipe import MoveItem, Recipe


@click.command()
@click.option("--out-dir", type=FILE, default=Path("realedit-demo"), show_default=True, help="Where to write.")
@click.option("--force", is_flag=True, help="Replace the files of an earlier demo.")
@run_options
def demo(shared: RunOptions, out_dir: Path, force: bool) -> None:
    """Move an object in a bundled photo: the whole job, offline, in under a minute."""
    from inversion.weights import bundled_samples
    from realedit.files.reading import load_photo
    from realedit.files.writing import check_folder

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
    outputs.check(())
    example = json.loads((bundled_samples() / "photos" / "demo.json").read_text())
    photo = bundled_samples() / "photos" / example["photo"]
    shared.say(f'moving the "{example["object"]}" of {photo.name} to {example["to"][0]:g},{example["to"][1]:g}')
    item = MoveItem(object=example["object"], to=example["to"])
    recipe = Recipe(edit=(item,), method=shared.method, steps=shared.steps, seed=shared.seed)
    run_job(shared, EditJob(photo, load_photo(photo), recipe), outputs, shared.load)
