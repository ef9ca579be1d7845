"""A recipe for one photo, from files to files: what every editing command does. What needs torch is imported when all
that can be checked without it was."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from PIL import Image

from inversion.errors import ModelError
from realedit.commands.checks import check_recipe
from realedit.commands.context import RunOptions
from realedit.commands.output_options import Acceptance
from realedit.commands.progress import ShowStage
from realedit.commands.results import Outputs, Result, print_result, save_result, ways_to_save
from realedit.files.encoding import losses
from realedit.files.kinds import PIPE
from realedit.files.photo import Photo
from realedit.files.reading import PhotoFile
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import named_files, named_models
from realedit.files.sidecar import SidecarOrigin
from realedit.files.writing import save_sheet
from realedit.files.xmp import DigitalSourceType
from realedit.images import to_bytes
from realedit.inpainting.filler import GivenFill, load_filler, parse_fill
from realedit.settings import Mode, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.editing.pipeline import EditResult
    from realedit.evaluation.report import EditReport
    from realedit.inpainting.filler import FillChoice, Filler


@dataclass(frozen=True, eq=False)
class EditJob:
    """A recipe for one photo, the `file` at `path`. `folder` is what the recipe's paths start from, `asked_by` are the
    files that say so: a recipe, or a sidecar and its result."""

    path: Path
    file: PhotoFile
    recipe: Recipe
    folder: Path = Path()
    asked_by: tuple[Path, ...] = ()

    @property
    def photo(self) -> Photo:
        return self.file.photo

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read: those that the recipe names, the photo, the captions beside photos, models, and
        what else said how to edit."""
        named = [self.folder / name for name in named_files(self.recipe)]
        beside = [path.with_suffix(".txt") for path in (self.path, *named) if path.name]
        models = [Path(name) for name in named_models(self.recipe)]
        return (self.path, *named, *beside, *models, *self.asked_by)


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
        show(shared.loading)
        edited = make_edit(shared, job, prompt.text, show, accept, explain=outputs.work is not None)
        accept.check_verdict(edited.report)
        show("writing")
        if outputs.work is not None:
            _write_work(edited.intermediates, outputs)
        report = replace(edited.report, prompt=prompt)
        origin = SidecarOrigin(job.path, job.folder, outputs.result, job.recipe, prompt)
        result = Result(edited.photo, photo, shared.model.fingerprint, _settings(job.recipe), report)
        return EditDone(save_result(shared.which, outputs, (saving, signer), origin, result), report)


def _settings(recipe: Recipe) -> Settings:
    shadows = recipe.shadow != "none"
    steps, seed, method, feather = recipe.steps, recipe.seed, recipe.method, recipe.feather
    return Settings(steps=steps, seed=seed, method=method, feather=feather, shadows=shadows, mode=Mode(recipe.mode))


@functools.cache
def _filler(text: str, device: str, *, offline: bool) -> "FillChoice | Filler":
    """What fills old places; a model that is made for it is loaded once."""
    choice = parse_fill(text)
    return load_filler(choice, device, offline=offline) if isinstance(choice, GivenFill) else choice


def make_edit(
    shared: RunOptions,
    job: EditJob,
    prompt: str,
    show: ShowStage,
    accept: Acceptance = Acceptance(),
    *,
    explain: bool = False,
) -> "EditResult":
    """The edit of a job, under the prompt that was checked; `explain`: with its `explanation` among the intermediates.

    Raises:
        RealEditError: any of it failed; `accept` asks for LPIPS, which cannot be had.
    """
    from realedit.commands.inputs import hints_of
    from realedit.editing.pipeline import edit
    from realedit.evaluation.perceptual import perceptual_metric

    hints = hints_of(shared, job.recipe, job.photo, job.folder)
    model = shared.model
    for phrase in set(job.recipe.objects) - hints.masks.keys():
        model.positions(prompt, phrase)  # words beyond what the model reads are told before LPIPS is fetched
    perceptual = perceptual_metric(model, offline=shared.which.offline)
    if accept.max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    return edit(
        model,
        job.photo,
        prompt,
        *job.recipe.edits,
        hints=hints,
        fill=_filler(job.recipe.fill, shared.which.device, offline=shared.which.offline),
        settings=_settings(job.recipe),
        perceptual=perceptual,
        progress=show,
        explain=explain,
    )


def _write_work(work: "dict[str, Tensor]", outputs: Outputs) -> None:
    for name, picture in work.items():
        save_sheet(Image.fromarray(to_bytes(picture.expand(-1, 3, -1, -1))), outputs.work_picture(name))
