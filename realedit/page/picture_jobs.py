"""What the page's button makes: the edit, or the whole picture, that the command makes. Runs in the thread of jobs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realedit.files.captions import FROM_OPTION, FROM_RECIPE, Prompt
from realedit.files.photo import Pixels
from realedit.files.recipe import Recipe
from realedit.generations import Generation
from realedit.jobs.checks import check_recipe
from realedit.jobs.command_line import is_one_command
from realedit.jobs.edit_job import EditJob, Watch, make_edit
from realedit.jobs.generation_job import GenerationJob, draw_whole, prompt_of_whole
from realedit.jobs.model_run import ModelRun
from realedit.page.job_queue import Job
from realedit.page.made_picture import MadePicture
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.sizes import VIEW_SIDE
from realedit.page.views import early_view, view_of


@dataclass(frozen=True, eq=False)
class Asked:
    """What a page asks of the photo `before`, if there is one, and the `prompt` that it says; `folder` is where the
    files lie that this names."""

    what: Recipe | Generation
    before: OpenedPhoto | None
    folder: Path
    prompt: str | None


def make_picture(job: Job, run: ModelRun, asked: Asked) -> MadePicture:
    """Make what a page asks for, with the model of a run.

    Raises:
        RealEditError: it cannot be made.
        Stopped: the job was stopped.
    """
    what, prompt = asked.what, asked.prompt
    said_in = FROM_RECIPE if isinstance(what, Recipe) and not is_one_command(what) and prompt else FROM_OPTION
    run = run.saying(prompt, said_in).sampling(what.method, what.steps, what.seed)
    if isinstance(what, Recipe):
        assert asked.before is not None
        made = _edited(job, run, asked.before, what)
    else:
        made = _drawn(job, run, what, asked)
    job.show("writing")
    _ = made.said  # found out here, not in the server's thread
    return made


def _edited(job: Job, run: ModelRun, before: OpenedPhoto, recipe: Recipe) -> MadePicture:
    folder = before.path.parent
    prompt = check_recipe(run, recipe, before.path, before.file, folder)

    def early(picture: Any, box: Pixels) -> None:
        job.show(job.stage)  # where it may stop
        if before.shown is not None:
            job.show_preview(early_view(before.shown, before.file.size, picture, box))

    edited = make_edit(run, EditJob(before.path, before.file, recipe, folder), prompt.text, Watch(job.show, early))
    view, report = view_of(edited.photo.displayed(VIEW_SIDE)), replace(edited.report, prompt=prompt)
    return MadePicture(job.number, folder, before, run, recipe, prompt, edited.photo, view, report=report)


def _drawn(job: Job, run: ModelRun, whole: Generation, asked: Asked) -> MadePicture:
    before = asked.before
    if before is None:
        prompt, drawing = Prompt(run.prompt or "", run.said_in), None
    else:
        prompt, drawing = prompt_of_whole(run, whole, before.path, before.file), before.photo
    drawn = GenerationJob(whole, prompt, before.path if before else None, drawing, asked.folder)
    picture = draw_whole(run, drawn, job.show)
    view = view_of(picture.displayed(VIEW_SIDE))
    return MadePicture(job.number, asked.folder, before, run, whole, prompt, picture, view, mark=drawn.mark)
