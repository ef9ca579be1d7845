"""The command that shows how a result came about. Heavy imports stay inside functions: help needs this module."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import EditError, RealEditError
from realedit.commands.context import RunOptions, beside
from realedit.commands.made_results import MadeResult, WhereFound, again_options
from realedit.commands.options import FORCE, OUTPUT, QUIET
from realedit.commands.parameter_types import FILE
from realedit.files.kinds import PIPE

if TYPE_CHECKING:
    from realedit.editing.pipeline import EditResult
    from realedit.jobs.edit_job import EditJob


@click.command()
@click.argument("result", type=FILE)
@again_options
@OUTPUT
@FORCE
@QUIET
def explain(result: Path, found: WhereFound, output: Path | None, force: bool, quiet: bool) -> None:
    """Draw how a result came about: what the model saw and expected at each step, and how far that was from what was
    asked. Makes the edit again from the sidecar beside it, and says whether its pixels are the same.

    Example: realedit explain moved.png
    """
    from realedit.files.sidecar import pixels_hash
    from realedit.files.writing import check_outputs

    made = MadeResult.read(result, found)
    job = made.edit_job()
    if job is None:
        raise EditError(f"{made.path.name} was drawn as a whole; only edits can be explained")
    output = output or beside(made.path, "explanation", ".png")
    check_outputs((output,), (), force=force, inputs=job.inputs)
    shared = made.options(quiet=quiet)
    made.announce(shared)
    edited = _explained(shared, job, output)
    shared.say(f"wrote {output}", when=output != PIPE)
    if pixels_hash(edited.photo.rgb) != made.sidecar.pixels_hash:
        raise RealEditError(f"{made.differs()}; what is explained are the new ones")
    shared.say("the same pixels")


def _explained(shared: RunOptions, job: "EditJob", output: Path) -> "EditResult":
    """Make the edit again, and write what explains it.

    Raises:
        RealEditError: nothing of it was guided, or any of it failed.
    """
    from PIL import Image

    from realedit.files.writing import save_sheet
    from realedit.jobs.checks import check_recipe
    from realedit.jobs.edit_job import Watch, make_edit

    with shared.reading(job.path):
        prompt = check_recipe(shared, job.recipe, job.path, job.file, job.folder)
    with shared.stages() as show:
        show(shared.loading)
        edited = make_edit(shared, job, prompt.text, Watch(show, explain=True))
        drawn = edited.intermediates.get("explanation")
        if drawn is None:
            raise RealEditError(f"there is nothing to explain, no step was guided ({edited.report.mode.to_text()})")
        from realedit.images import to_bytes

        show("writing")
        save_sheet(Image.fromarray(to_bytes(drawn)), output)
    return edited
