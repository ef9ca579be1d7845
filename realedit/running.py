"""What commands share when they run: their common options, their outputs, and one edit from file to
file. Heavy imports stay inside functions."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import EditError, ModelError, RealEditError
from realedit.edits import Edit
from realedit.options import Numbers, model_options, settings_from

if TYPE_CHECKING:
    from torch import Tensor

    from inversion.model import DiffusionModel
    from realedit.images import Photo


@dataclass(frozen=True)
class Common:
    """The values of the options that every command with a model shares."""

    prompt: str | None
    model: str
    method: str
    steps: int
    seed: int
    device: str
    dtype: str
    as_json: bool
    quiet: bool
    verbose: bool

    def load(self) -> "DiffusionModel":
        self.say(f"loading {self.model}", when=self.verbose)
        quiet_libraries()
        from inversion.model import load_model

        return load_model(self.model, self.device, self.dtype)

    def say(self, text: str, *, when: bool = True) -> None:
        if when and not self.quiet:
            click.echo(f"realedit: {text}", err=True)

    def prompt_of(self, path: Path, photo: "Photo", assumed: str | None = None) -> str:
        """The prompt, from the option, a text beside the photo, or its description; else `assumed`."""
        text_file = path.with_suffix(".txt")
        if self.prompt:
            return self.prompt
        if text_file.is_file():
            text = text_file.read_text(encoding="utf-8", errors="replace").strip()
            if text:
                return text
        if photo.description or assumed:
            return photo.description or assumed or ""
        raise EditError(
            f'no prompt for {path.name}: say what it shows with --prompt "a photo of ...", or in '
            f"{text_file.name} beside it, or mark the object with --mask or --box"
        )

    @contextlib.contextmanager
    def progress(self, total: int) -> Iterator[Callable[[str], None]]:
        """A bar on stderr, if that is a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda label: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("inverting", total=total)
            yield lambda label: bar.update(task, advance=1, description=label)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the shared options to a command as one `Common`."""

    @model_options
    @functools.wraps(command)
    def wrapped(
        *,
        prompt: str | None,
        model: str,
        method: str,
        steps: int,
        seed: int,
        device: str,
        dtype: str,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        **rest: Any,
    ) -> Any:
        values = Common(prompt, model, method, steps, seed, device, dtype, as_json, quiet, verbose)
        return command(shared=values, **rest)

    return wrapped


@dataclass(frozen=True)
class Outputs:
    """Where an edit writes, all checked before any work is done."""

    result: Path
    before_after: Path | None = None
    work: Path | None = None
    report: Path | None = None
    force: bool = False

    def check(self, inputs: tuple[Path, ...]) -> None:
        from realedit.images import check_folder, check_new, check_output

        for path in (self.result, self.before_after):
            if path is not None:
                check_output(path, force=self.force, inputs=inputs)
        if self.report is not None:
            check_new(self.report, force=self.force, inputs=inputs)
        if self.work is not None:
            with contextlib.suppress(OSError):
                self.work.mkdir(parents=True, exist_ok=True)
            check_folder(self.work)


def run_edit(
    shared: Common,
    path: Path,
    edit_of: Callable[["Photo"], Edit],
    outputs: Outputs,
    *,
    mask: Path | None = None,
    box: Numbers | None = None,
    max_lpips: float | None = None,
) -> None:
    """Everything that an editing command does: check, load, edit, write, print."""
    from realedit.images import load_photo, save_photo

    photo = load_photo(path)
    outputs.check(tuple(p for p in (path, mask) if p is not None))
    edit = edit_of(photo)
    region = _region(photo, mask, box)
    prompt = shared.prompt_of(path, photo, f"a photo of {edit.object}" if region is not None else None)
    for note in photo.notes:
        shared.say(note)
    model = shared.load()
    from realedit.editing import Task, edit_photo
    from realedit.perceptual import best_perceptual

    model.positions(prompt, edit.object)  # a wrong word is said before anything slow is done
    perceptual = best_perceptual(model)
    if max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    with shared.progress(4 * shared.steps) as on_step:
        task = Task(photo, prompt, edit, region, shared.method)
        edited = edit_photo(model, task, perceptual, settings_from(shared.steps, shared.seed), on_step)
    if outputs.work is not None:
        _write_work(edited.work, outputs.work)
    save_photo(edited.photo, outputs.result)
    _write_extras(photo, edited, outputs)
    click.echo(edited.report.to_json() if shared.as_json else edited.report.to_text())
    shared.say(f"wrote {outputs.result}", when=not shared.as_json)
    if max_lpips is not None and edited.report.outside.perceptual > max_lpips:
        raise RealEditError(
            f"outside the edit LPIPS is {edited.report.outside.perceptual:.4f}, above {max_lpips:g}; the result is kept"
        )


def _write_extras(photo: "Photo", edited: Any, outputs: Outputs) -> None:
    from realedit.images import write_whole
    from realedit.report import side_by_side

    if outputs.before_after is not None:
        sheet = side_by_side(photo.rgb, edited.photo.rgb)
        write_whole(outputs.before_after, lambda file: sheet.save(file, format="PNG"))
    if outputs.report is not None:
        write_whole(outputs.report, lambda file: file.write(edited.report.to_json().encode()))


def _write_work(work: dict[str, "Tensor"], folder: Path) -> None:
    from PIL import Image

    from realedit.images import to_bytes, write_whole

    for name, picture in work.items():
        image = Image.fromarray(to_bytes(picture.expand(-1, 3, -1, -1)))
        write_whole(folder / f"{name}.png", lambda file, image=image: image.save(file, format="PNG"))


def _region(photo: "Photo", mask: Path | None, box: Numbers | None) -> "Tensor | None":
    from realedit.images import load_mask

    if mask is not None:
        return load_mask(mask, photo.size)
    if box is None:
        return None
    from realedit.masks import box_mask

    left, top, right, bottom = box.fractions(photo.size)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise EditError(f"the box {left:g},{top:g},{right:g},{bottom:g} is not LEFT,TOP,RIGHT,BOTTOM inside the photo")
    return box_mask((left, top, right, bottom), photo.size)


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    return path.with_name(f"{path.stem}-{word}{suffix or path.suffix}")


def quiet_libraries() -> None:
    """Keep other libraries' progress bars and advice off the user's terminal."""
    import logging
    import os
    import warnings

    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
