"""What commands write and print of a result: checked before any work is done, and written when it is done. No torch."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psutil

from realedit.commands.context import RunOptions, print_line
from realedit.commands.output_options import FileOptions
from realedit.editing.intermediates import INTERMEDIATES
from realedit.files.access import shown_name
from realedit.files.contact_sheet import side_by_side
from realedit.files.encoding import Saving
from realedit.files.kinds import PIPE
from realedit.files.photo import Photo
from realedit.files.provenance import Signer
from realedit.files.sidecar import SidecarOrigin, pixels_hash, sidecar_path, write_sidecar
from realedit.files.writing import check_outputs, parent_of, save_photo, save_sheet, write_bytes
from realedit.files.xmp import DigitalSourceType
from realedit.settings import ModelChoice, Settings

if TYPE_CHECKING:
    from realedit.evaluation.report import EditReport


@dataclass(frozen=True)
class Outputs:
    """All that one run writes, and how: the `result`, and beside it what else is asked for. `one_of_many`: what --json
    prints then says of which photo it is; `kept`: what must not be replaced beside the inputs of the run, as the photos
    that are still to come."""

    result: Path
    before_after: Path | None = None
    work: Path | None = None
    report: Path | None = None
    sidecar: bool = True
    files: FileOptions = FileOptions()
    one_of_many: bool = False
    kept: tuple[Path, ...] = ()

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Every picture that may be written."""
        work = [] if self.work is None else [self.work_picture(name) for name in INTERMEDIATES]
        return (self.result, *([self.before_after] if self.before_after else []), *work)

    @property
    def others(self) -> tuple[Path, ...]:
        """Every other file that is written."""
        sidecar = [sidecar_path(self.result)] if self.sidecar else []
        return (*([self.report] if self.report else []), *sidecar)

    def work_picture(self, name: str) -> Path:
        """The file of a picture of the way there."""
        assert self.work is not None
        return self.work / f"{name}.png"

    def check(self, inputs: tuple[Path, ...]) -> None:
        """Refuse, before any work is done, what cannot or must not be written.

        Raises:
            OutputError: two outputs are one file; a file exists, is one of the `inputs`, or lies in a folder that takes
                none.
        """
        inputs = (*inputs, *self.kept, *self.files.inputs)
        if self.work is not None and not os.path.exists(self.work):  # made last, where nothing else is wrong
            here = [path for path in self.pictures if path.parent != self.work]
            check_outputs(here, self.others, force=self.files.force, inputs=inputs)
            with contextlib.suppress(OSError):
                self.work.mkdir(parents=True)
        check_outputs(self.pictures, self.others, force=self.files.force, inputs=inputs)


@dataclass(frozen=True, eq=False)
class Result:
    """A picture; the photo `before`, if it is an edit of one; what it was made with; and what came of the edits."""

    photo: Photo
    before: Photo | None
    fingerprint: str
    settings: Settings
    report: "EditReport | None" = None


def ways_to_save(files: FileOptions, mark: DigitalSourceType) -> tuple[Saving, Signer | None]:
    """What the user wishes of files, read and checked; `mark` says how they come about.

    Raises:
        OutputError: the signing key or its certificates cannot be used.
    """
    piped = f".{files.format}" if files.format else None
    signer = Signer.read(files.sign_cert, files.sign_key) if files.sign_cert and files.sign_key else None
    return Saving(mark if files.mark else None, files.strip_gps, piped), signer


def save_result(
    which: ModelChoice,
    outputs: Outputs,
    ways: tuple[Saving, Signer | None],
    origin: SidecarOrigin,
    result: Result,
) -> str:
    """Write a result and all that belongs to it. Returns the hash of its pixels.

    Raises:
        OutputError: a file cannot be written.
    """
    saving, signer = ways
    parent = parent_of(origin.photo, result.before, saving) if signer and origin.photo and result.before else None
    save_photo(result.photo, outputs.result, saving, signer, parent)
    if outputs.before_after is not None and result.before is not None:
        save_sheet(side_by_side(result.before, result.photo), outputs.before_after)
    if outputs.report is not None and result.report is not None:
        write_bytes(result.report.to_json().encode(), outputs.report)
    pixels, report = pixels_hash(result.photo.rgb), result.report.as_dict() if result.report else None
    if outputs.sidecar:
        write_sidecar(origin, which, result.fingerprint, result.settings, pixels, report)
    return pixels


def print_result(shared: RunOptions, outputs: Outputs, photo: Path | None, report: "EditReport | None" = None) -> None:
    """Say what came of the `photo` and where it was written."""
    piped = outputs.result == PIPE
    if report is not None and not shared.as_json and not (piped and shared.quiet):
        seconds = None if outputs.one_of_many else _seconds_since_start()
        click.echo(report.to_text(seconds, verbose=shared.verbose), err=piped)
    if shared.as_json and outputs.one_of_many:
        said = {"report": report.as_dict()} if report is not None else {}
        print_line(photo, {"result": shown_name(outputs.result), **said})
    elif shared.as_json and report is not None:
        click.echo(report.to_json())
    printed = shared.as_json and report is not None
    shared.say(f"wrote {shown_name(outputs.result)}", when=not piped and not printed)


def _seconds_since_start() -> float:
    """How long this process has run: what a user waits for one photo, with imports, loading and writing."""
    return time.time() - psutil.Process().create_time()
