"""A recipe for one photo, from files to files: what every editing command does. Heavy imports stay inside
functions."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import ModelError, RealEditError
from realedit.commands.context import RunOptions
from realedit.commands.inputs import assumed_prompt, other_photos, where_marked
from realedit.commands.options import FileOptions, settings_from
from realedit.files.kinds import PIPE
from realedit.files.recipe import Recipe
from realedit.files.sidecar import SidecarOrigin, pixels_hash, sidecar_path, write_sidecar
from realedit.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from inversion.model import DiffusionModel
    from realedit.editing.pipeline import EditResult
    from realedit.files.encoding import Saving
    from realedit.files.photo import Photo
    from realedit.files.provenance import Signer
    from realedit.files.xmp import DigitalSourceType


@dataclass(frozen=True)
class Outputs:
    """Where an edit writes, all checked before any work is done, and how."""

    result: Path
    before_after: Path | None = None
    work: Path | None = None
    report: Path | None = None
    sidecar: bool = True
    files: FileOptions = FileOptions()

    def check(self, inputs: tuple[Path, ...]) -> None:
        from realedit.files.writing import check_folder, check_new, check_output

        force = self.files.force
        for path in (self.result, self.before_after):
            if path is not None:
                check_output(path, force=force, inputs=inputs)
        for path in (self.report, sidecar_path(self.result) if self.sidecar else None):
            if path is not None:
                check_new(path, force=force, inputs=inputs)
        if self.work is not None:
            with contextlib.suppress(OSError):
                self.work.mkdir(parents=True, exist_ok=True)
            check_folder(self.work)


@dataclass(frozen=True, eq=False)
class EditJob:
    """A recipe for one photo, which came from `path`. `folder` is what the recipe's paths start from."""

    path: Path
    photo: "Photo"
    recipe: Recipe
    folder: Path = Path()

    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read."""
        wheres = [*self.recipe.where.values(), *(p.where for p in self.recipe.photos.values() if p.where)]
        others = [self.folder / name for name in self.recipe.photos_named()]
        return (self.path, *others, *(self.folder / w.mask for w in wheres if w.mask))


def run_job(
    shared: RunOptions,
    job: EditJob,
    outputs: Outputs,
    load: Callable[[], "DiffusionModel"],
    *,
    max_lpips: float | None = None,
    one_of_many: bool = False,
) -> str:
    """One photo: check, edit, write, print. Returns the hash of the result's pixels."""
    from realedit.files.encoding import losses
    from realedit.files.writing import parent_of, save_photo

    outputs.check(job.inputs())
    saving, signer = ways_to_save(outputs.files)
    job.recipe.edits()
    if shared.as_json and outputs.result == PIPE:
        raise click.UsageError("-o - and --json both write to standard output; keep one")
    prompt = shared.prompt_of(job.path, job.photo, assumed_prompt(job.recipe))
    masks, points = where_marked(job.recipe, job.photo, job.folder, offline=shared.which.offline)
    others = other_photos(shared, job.recipe, job.folder)
    for note in (*job.photo.notes, *losses(job.photo, saving.kind(outputs.result, job.photo))):
        shared.say(note)
    model = load()
    from realedit.editing.pipeline import edit_photo
    from realedit.editing.request import EditRequest
    from realedit.evaluation.perceptual import perceptual_metric

    task = EditRequest(
        job.photo, prompt, job.recipe.edits(), masks, points, others, job.recipe.method, job.recipe.pitch
    )
    task.check_words(model)
    perceptual = perceptual_metric(model, offline=shared.which.offline)
    if max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    settings = settings_from(job.recipe.steps, job.recipe.seed)
    with shared.progress(4 * job.recipe.steps) as on_step:
        edited = edit_photo(model, task, perceptual, settings, on_step)
    if outputs.work is not None:
        _write_work(edited.intermediates, outputs.work)
    parent = parent_of(job.path, job.photo) if signer else None
    save_photo(edited.photo, outputs.result, saving, signer, parent)
    made = _write_extras(shared, job, prompt, model, edited, outputs, settings)
    _print(shared, job, edited, outputs, one_of_many=one_of_many)
    if max_lpips is not None and edited.report.outside.perceptual > max_lpips:
        raise RealEditError(
            f"outside the edit LPIPS is {edited.report.outside.perceptual:.4f}, above {max_lpips:g}; the result is kept"
        )
    return made


def ways_to_save(files: FileOptions, source: "DigitalSourceType | None" = None) -> tuple["Saving", "Signer | None"]:
    """What the user wishes of files, read and checked; `source` says how they come about, if not by edits.

    Raises:
        OutputError: the signing key or its certificates cannot be used.
    """
    from realedit.files.encoding import Saving
    from realedit.files.provenance import Signer
    from realedit.files.xmp import DigitalSourceType

    if (files.sign_cert is None) != (files.sign_key is None):
        raise click.UsageError("signing needs both --sign-cert and --sign-key")
    signer = Signer.read(files.sign_cert, files.sign_key) if files.sign_cert and files.sign_key else None
    piped = f".{files.format}" if files.format else None
    return Saving((source or DigitalSourceType.EDITED) if files.mark else None, files.strip_gps, piped), signer


def _print(shared: RunOptions, job: EditJob, edited: "EditResult", outputs: Outputs, *, one_of_many: bool) -> None:
    to_stderr = outputs.result == PIPE
    if shared.as_json and one_of_many:
        about = {"photo": str(job.path), "result": str(outputs.result), "report": edited.report.as_dict()}
        click.echo(json.dumps(about))
    elif shared.as_json:
        click.echo(edited.report.to_json())
    elif not (to_stderr and shared.quiet):
        click.echo(edited.report.to_text(), err=to_stderr)
    shared.say(f"wrote {outputs.result}", when=not shared.as_json and not to_stderr)


def _write_extras(
    shared: RunOptions,
    job: EditJob,
    prompt: str,
    model: "DiffusionModel",
    edited: "EditResult",
    outputs: Outputs,
    settings: Settings,
) -> str:
    """Everything beside the result itself. Returns the hash of its pixels."""
    from realedit.files.contact_sheet import side_by_side
    from realedit.files.writing import save_sheet, write_bytes

    if outputs.before_after is not None:
        save_sheet(side_by_side(job.photo, edited.photo), outputs.before_after)
    if outputs.report is not None:
        write_bytes(edited.report.to_json().encode(), outputs.report)
    pixels = pixels_hash(edited.photo.rgb)
    if outputs.sidecar:
        made = SidecarOrigin(job.path, job.folder, outputs.result, job.recipe, prompt)
        write_sidecar(made, shared.which, model.fingerprint, settings, pixels, edited.report.as_dict())
    return pixels


def _write_work(work: dict[str, "Tensor"], folder: Path) -> None:
    from PIL import Image

    from realedit.files.writing import save_sheet
    from realedit.images import to_bytes

    for name, picture in work.items():
        image = Image.fromarray(to_bytes(picture.expand(-1, 3, -1, -1)))
        save_sheet(image, folder / f"{name}.png")
