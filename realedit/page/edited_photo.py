"""What the page's button makes: the edit that the command makes, and the same file of it."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from realedit.evaluation.report import EditReport
from realedit.files.encoding import Saving, losses, suffix_for
from realedit.files.kinds import FORMATS
from realedit.files.photo import Photo, Pixels
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import named_files
from realedit.files.recipe_text import recipe_text
from realedit.files.writing import save_photo
from realedit.files.xmp import DigitalSourceType
from realedit.jobs.checks import check_recipe
from realedit.jobs.command_line import command_line, is_one_command
from realedit.jobs.edit_job import EditJob, Watch, make_edit
from realedit.jobs.model_run import ModelRun
from realedit.jobs.result_names import result_word
from realedit.page.job_queue import Job
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.sizes import VIEW_SIDE
from realedit.page.views import early_view, view_of


@dataclass(frozen=True, eq=False)
class EditedPhoto:
    """An edited `photo`, its `view` (JPEG), and what it was made from and by."""

    number: int
    before: OpenedPhoto
    run: ModelRun
    recipe: Recipe
    photo: Photo
    view: bytes
    report: EditReport

    @property
    def stem(self) -> str:
        """Of the names of its files."""
        return f"{self.before.path.stem}-{result_word(self.recipe)}"

    @property
    def suffix(self) -> str:
        """That of the photo, where it says what the file is."""
        own = self.before.path.suffix
        return own if FORMATS.get(own.lower()) == self.before.file.format else suffix_for(self.before.photo)

    @property
    def recipe_name(self) -> str:
        return f"{self.stem}.toml"

    def save(self, folder: Path, saving: Saving, suffix: str | None = None) -> Path:
        """Write the photo into a folder as the command does. Returns the path."""
        path = folder / f"{self.stem}{suffix or self.suffix}"
        save_photo(self.photo, path, saving)
        return path

    def masks(self) -> list[str]:
        """The names of the files, beside the photo, that the recipe names."""
        return sorted(set(named_files(self.recipe)))

    def recipe_text(self) -> str:
        return recipe_text(self.recipe)

    @cached_property
    def said(self) -> dict[str, Any]:
        """What the page shows of it."""
        return {
            "number": self.number,
            "level": self.report.verdict.level.value,
            "reasons": list(self.report.verdict.reasons),
            "lines": self.report.lines(),
            "details": self.report.lines(verbose=True),
            "name": f"{self.stem}{self.suffix}",
            "recipe": self.recipe_name,
            "files": self.masks(),
            "needs_recipe": not is_one_command(self.recipe),
            "command": self.command(),
            "saving": {"place": "--strip-gps", "mark": "--no-mark", "format": "--format"},
            "losses": losses(self.photo, FORMATS[self.suffix.lower()], Saving(DigitalSourceType.EDITED)),
        }

    def command(self) -> str:
        """The command that makes the same file."""
        failed = self.report.verdict.failed
        return command_line(self.run, self.recipe, self.before.path.name, self.recipe_name, keep_going=failed)


def make(number: int, job: Job, run: ModelRun, before: OpenedPhoto, recipe: Recipe) -> EditedPhoto:
    """Make the edits of a recipe.

    Raises:
        RealEditError: they cannot be made.
        Stopped: the job was stopped.
    """
    folder = before.path.parent
    prompt = check_recipe(run, recipe, before.path, before.file, folder)

    def early(picture: Any, box: Pixels) -> None:
        job.show(job.stage)  # where it may stop
        if before.shown is not None:
            job.show_preview(early_view(before.shown, before.file.size, picture, box))

    edited = make_edit(run, EditJob(before.path, before.file, recipe, folder), prompt.text, Watch(job.show, early))
    job.show("writing")
    report = replace(edited.report, prompt=prompt)
    made = EditedPhoto(number, before, run, recipe, edited.photo, view_of(edited.photo.displayed(VIEW_SIDE)), report)
    _ = made.said  # found out here, not in the server's thread
    return made
