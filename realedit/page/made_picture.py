"""What the page's button made: the picture, and all the files of it that the command would write."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from realedit.evaluation.report import EditReport
from realedit.files.captions import Prompt
from realedit.files.encoding import Saving, losses, suffix_for
from realedit.files.kinds import FORMATS
from realedit.files.photo import Photo
from realedit.files.provenance import Signer
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import named_files
from realedit.files.recipe_text import recipe_text
from realedit.files.sidecar import SIDECAR_SUFFIX, SidecarOrigin, pixels_hash, sidecar_file
from realedit.files.writing import parent_of, photo_file
from realedit.files.xmp import DigitalSourceType
from realedit.generations import Generation
from realedit.jobs.command_line import command_line, is_one_command
from realedit.jobs.edit_job import settings_of
from realedit.jobs.generation_command_line import generation_command_line, sentence_files
from realedit.jobs.generation_job import settings_of_whole
from realedit.jobs.model_run import ModelRun
from realedit.jobs.result_names import FROM_WORDS, result_word
from realedit.page.opened_photo import OpenedPhoto


@dataclass(frozen=True, eq=False)
class MadePicture:
    """A `photo` that was made as `asked`, with the model of a `run` under a `prompt`: an edit of what was `before`,
    with a `report`, or a whole picture, for which nothing need have been before. `mark`: how it came about; `view`: as
    the page shows it (JPEG). The files that it is asked with lie in a `folder`."""

    number: int
    folder: Path
    before: OpenedPhoto | None
    run: ModelRun
    asked: Recipe | Generation
    prompt: Prompt
    photo: Photo
    view: bytes
    mark: DigitalSourceType = DigitalSourceType.EDITED
    report: EditReport | None = None

    @property
    def stem(self) -> str:
        """Of the names of its files."""
        return f"{self.before.path.stem}-{result_word(self.asked)}" if self.before else FROM_WORDS

    @property
    def suffix(self) -> str:
        """That of the photo, where it says what the file is; a new picture's is the usual one."""
        if self.before is None or self.mark is DigitalSourceType.GENERATED:
            return ".png"
        own = self.before.path.suffix
        return own if FORMATS.get(own.lower()) == self.before.file.format else suffix_for(self.before.photo)

    @property
    def name(self) -> str:
        """Of its file in its own format."""
        return f"{self.stem}{self.suffix}"

    @property
    def recipe_name(self) -> str | None:
        """Of the file with its edits; None of a whole picture."""
        return f"{self.stem}.toml" if isinstance(self.asked, Recipe) else None

    def file(self, saving: Saving, suffix: str | None = None, signer: Signer | None = None) -> tuple[bytes, str]:
        """Its file as the command writes it, and the name of that.

        Raises:
            OutputError: the photo cannot be written so.
        """
        path = self.folder / f"{self.stem}{suffix or self.suffix}"
        edited = self.before if self.mark is DigitalSourceType.EDITED else None
        parent = parent_of(edited.path, edited.photo, saving) if signer and edited else None
        return photo_file(self.photo, path, saving, signer, parent), path.name

    def sidecar(self, name: str) -> tuple[bytes, str]:
        """How it was made, as it lies beside its file of that name."""
        path, before = self.folder / name, self.before.path if self.before else None
        settings = settings_of(self.asked) if isinstance(self.asked, Recipe) else settings_of_whole(self.asked)
        origin = SidecarOrigin(before, self.folder, path, self.asked, self.prompt)
        report = self.report.as_dict() if self.report else None
        fingerprint, pixels = self.run.model.fingerprint, pixels_hash(self.photo.rgb)
        data = sidecar_file(origin, self.run.which, fingerprint, settings, pixels, report)
        return data, f"{name}{SIDECAR_SUFFIX}"

    def recipe(self) -> str | None:
        """The text of the file with its edits."""
        return recipe_text(self.asked) if isinstance(self.asked, Recipe) else None

    def beside(self) -> dict[str, bytes]:
        """The files that its command reads beside the photo: other photos, masks, sentences."""
        named = {name: (self.folder / name).read_bytes() for name in sorted(set(named_files(self.asked)))}
        texts = {} if isinstance(self.asked, Recipe) else sentence_files(self.asked)
        return named | {name: text.encode() for name, text in texts.items()}

    def commands(self) -> tuple[str, ...]:
        """The commands that make the same file, from the photo that was given, in their order."""
        before = self.before.path.name if self.before else None
        if not isinstance(self.asked, Recipe):
            line = generation_command_line(self.run, self.asked, before)
        else:
            failed = self.report is not None and self.report.verdict.failed
            line = command_line(self.run, self.asked, before or "", self.recipe_name or "", keep_going=failed)
        return (*(self.before.made_by if self.before else ()), line)

    @cached_property
    def said(self) -> dict[str, Any]:
        """What the page shows of it."""
        report = self.report
        return {
            "number": self.number,
            "kind": "edit" if isinstance(self.asked, Recipe) else self.asked.kind,
            "new": self.mark is DigitalSourceType.GENERATED,
            "size": self.photo.size,
            "level": report.verdict.level.value if report else None,
            "reasons": list(report.verdict.reasons) if report else [],
            "lines": report.lines() if report else [],
            "details": report.lines(verbose=True) if report else [],
            "name": self.name,
            "recipe": self.recipe_name,
            "files": sorted(self.beside()),
            "needs_recipe": isinstance(self.asked, Recipe) and not is_one_command(self.asked),
            "command": "\n".join(self.commands()),
            "losses": losses(self.photo, FORMATS[self.suffix.lower()], Saving(self.mark)),
        }
