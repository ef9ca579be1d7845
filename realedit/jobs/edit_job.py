"""A recipe for one photo, made with a model: from what is asked to the edited photo in memory. What needs torch is
imported when all that can be checked without it was."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inversion.errors import ModelError
from realedit.files.photo import Photo, Pixels
from realedit.files.reading import PhotoFile
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import named_files, named_models
from realedit.inpainting.filler import GivenFill, load_filler, parse_fill
from realedit.jobs.model_run import ModelRun
from realedit.settings import Mode, Settings

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.editing.pipeline import EditResult
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


@dataclass(frozen=True)
class Watch:
    """Who follows an edit: told of stages and their steps (`show`), shown early pictures (`preview`, as for
    `realedit.edit`); and whether an `explanation` is to be among the intermediates."""

    show: Callable[[str], None]
    preview: "Callable[[Tensor, Pixels], None] | None" = None
    explain: bool = False


def settings_of(recipe: Recipe) -> Settings:
    """How the edits of a recipe are made."""
    shadows = recipe.shadow != "none"
    steps, seed, method, feather = recipe.steps, recipe.seed, recipe.method, recipe.feather
    return Settings(steps=steps, seed=seed, method=method, feather=feather, shadows=shadows, mode=Mode(recipe.mode))


@functools.cache
def _filler(text: str, device: str, *, offline: bool) -> "FillChoice | Filler":
    """What fills old places; a model that is made for it is loaded once."""
    choice = parse_fill(text)
    return load_filler(choice, device, offline=offline) if isinstance(choice, GivenFill) else choice


def make_edit(run: ModelRun, job: EditJob, prompt: str, watch: Watch, *, needs_lpips: bool = False) -> "EditResult":
    """The edit of a job, under the prompt that was checked.

    Raises:
        RealEditError: any of it failed; `needs_lpips`, and it cannot be had.
    """
    from realedit.editing.pipeline import edit
    from realedit.evaluation.perceptual import perceptual_metric
    from realedit.jobs.inputs import hints_of
    from realedit.sampling.session import load

    hints = hints_of(run, job.recipe, job.photo, job.folder)
    model, by_words = run.model, set(job.recipe.objects) - hints.masks.keys()
    if by_words:
        load(model, watch.show)
    for phrase in by_words:
        model.positions(prompt, phrase)  # words beyond what the model reads are told before LPIPS is fetched
    find_metric = functools.partial(perceptual_metric, model, offline=run.which.offline)
    metric = find_metric() if needs_lpips else None
    if metric is not None and metric.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {metric.note}")
    return edit(
        model,
        job.photo,
        prompt,
        *job.recipe.edits,
        hints=hints,
        fill=_filler(job.recipe.fill, run.which.device, offline=run.which.offline),
        settings=settings_of(job.recipe),
        perceptual=metric or find_metric,
        progress=watch.show,
        preview=watch.preview,
        explain=watch.explain,
    )
