"""A recipe for one photo, from files to files: what every editing command does. What needs torch is imported when all
that can be checked without it was."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click
from PIL import Image

from realedit.commands.context import RunOptions
from realedit.commands.output_options import Acceptance
from realedit.commands.results import Outputs, Result, print_result, save_result, ways_to_save
from realedit.files.encoding import losses
from realedit.files.kinds import PIPE
from realedit.files.sidecar import SidecarOrigin
from realedit.files.writing import save_sheet
from realedit.files.xmp import DigitalSourceType
from realedit.images import to_bytes
from realedit.jobs.checks import check_recipe
from realedit.jobs.edit_job import EditJob, Watch, make_edit, settings_of

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.evaluation.report import EditReport


@dataclass(frozen=True, eq=False)
class EditDone:
    """What was written: the `pixels` by their hash, and the `report`."""

    pixels: str
    report: "EditReport"


def run_job(shared: RunOptions, job: EditJob, outputs: Outputs, accept: Acceptance = Acceptance()) -> str:
    """One photo: check, edit, write, print. Returns the hash of the result's pixels.

    Raises:
        RealEditError: any of it failed; the result is not one to `accept`; or, with the result written, LPIPS outside
            the edit is above what is accepted, or the energies are.
    """
    done = write_edit(shared, job, outputs, accept)
    print_result(shared, outputs, job.path, done.report)
    accept.check_outside(done.report)
    accept.check_energies(done.report)
    return done.pixels


def write_edit(shared: RunOptions, job: EditJob, outputs: Outputs, accept: Acceptance) -> EditDone:
    """Check, edit and write one photo.

    Raises:
        RealEditError: any of it failed, or the result is judged to have failed and that is not accepted.
    """
    with shared.reading(job.path):
        outputs.check(job.inputs)
        saving, signer = ways_to_save(outputs.files, DigitalSourceType.EDITED)
        if shared.as_json and outputs.result == PIPE:
            raise click.UsageError("-o - and --json both write to standard output; keep one")
        prompt = check_recipe(shared, job.recipe, job.path, job.file, job.folder)
        photo = job.photo
    for note in (*photo.notes, *losses(photo, saving.kind(outputs.result, photo), saving)):
        shared.say(note)
    with shared.stages() as show:
        show("starting")
        watch = Watch(show, explain=outputs.work is not None)
        edited = make_edit(shared, job, prompt.text, watch, needs_lpips=accept.max_lpips is not None)
        accept.check_verdict(edited.report)
        show("writing")
        if outputs.work is not None:
            _write_work(edited.intermediates, outputs)
        report = replace(edited.report, prompt=prompt)
        origin = SidecarOrigin(job.path, job.folder, outputs.result, job.recipe, prompt)
        result = Result(edited.photo, photo, shared.model.fingerprint, settings_of(job.recipe), report)
        return EditDone(save_result(shared.which, outputs, (saving, signer), origin, result), report)


def _write_work(work: "dict[str, Tensor]", outputs: Outputs) -> None:
    for name, picture in work.items():
        save_sheet(Image.fromarray(to_bytes(picture.expand(-1, 3, -1, -1))), outputs.work_picture(name))
