"""The command line: read options, call the library, print. Heavy imports stay inside commands."""

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import EditError, ModelError, RealEditError
from realedit.edits import Edit, Move, Resize
from realedit.options import FILE, POINT, SHIFT, Numbers, edit_options, model_options, output_options, settings_from

if TYPE_CHECKING:
    from torch import Tensor

    from inversion.model import DiffusionModel
    from realedit.images import Photo

INTERRUPTED = 130


class Group(click.Group):
    """Turns every error that a user can mend into one line and its exit code."""

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        if not extra.pop("standalone_mode", True):
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except RealEditError as error:
            click.echo(f"realedit: {error}", err=True)
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            click.echo("realedit: interrupted; nothing was written", err=True)
            code = INTERRUPTED
        except MemoryError:
            click.echo("realedit: out of memory; use a smaller photo or fewer --steps", err=True)
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="realedit")
def main() -> None:
    """Edit your own photos: move and resize objects, and keep everything else as it was.

    OBJECT is a phrase of the photo's prompt, such as "red ball". Positions are fractions X,Y of the
    photo from its top left corner, or pixels: 84px,72px.
    """


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
        _quiet_libraries()
        from inversion.model import load_model

        return load_model(self.model, self.device, self.dtype)

    def say(self, text: str, *, when: bool = True) -> None:
        if when and not self.quiet:
            click.echo(f"realedit: {text}", err=True)

    def prompt_of(self, path: Path, photo: "Photo", assumed: str | None = None) -> str:
        """The prompt, from the option, a text beside the photo, or its description; else `assumed`."""
        beside = path.with_suffix(".txt")
        if self.prompt:
            return self.prompt
        if beside.is_file():
            text = beside.read_text(encoding="utf-8", errors="replace").strip()
            if text:
                return text
        if photo.description or assumed:
            return photo.description or assumed or ""
        raise EditError(
            f'no prompt for {path.name}: say what it shows with --prompt "a photo of ...", or in '
            f"{beside.name} beside it, or mark the object with --mask or --box"
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
    import functools

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
        from realedit.images import check_output

        for path in (self.result, self.before_after):
            if path is not None:
                check_output(path, force=self.force, inputs=inputs)


def _run_edit(
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

    from realedit.images import check_folder, to_bytes, write_whole

    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
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


def _beside(path: Path, word: str, suffix: str | None = None) -> Path:
    return path.with_name(f"{path.stem}-{word}{suffix or path.suffix}")


@main.command()
@click.argument("photo", type=FILE)
@click.argument("object")
@click.option("--to", type=POINT, help="Where the object's centre goes.")
@click.option("--by", type=SHIFT, help="How far it is shifted.")
@click.option("--scale", type=float, default=1.0, show_default=True, help="Enlarge or shrink it on the way.")
@edit_options
@output_options
@common
def move(
    shared: Common,
    photo: Path,
    object: str,
    to: Numbers | None,
    by: Numbers | None,
    scale: float,
    mask: Path | None,
    box: Numbers | None,
    before_after: Path | None,
    work: Path | None,
    max_lpips: float | None,
    output: Path | None,
    force: bool,
) -> None:
    """Move an object to another place.

    Example: realedit move photo.png "red ball" --to 0.7,0.6 -o moved.png
    """
    if (to is None) == (by is None):
        raise click.UsageError("give either --to X,Y or --by DX,DY")

    def edit(loaded: "Photo") -> Edit:
        def pair(numbers: Numbers | None) -> tuple[float, float] | None:
            return None if numbers is None else numbers.fractions(loaded.size)[:2]  # type: ignore[return-value]

        return Move(object, to=pair(to), by=pair(by), scale=scale)

    outputs = Outputs(output or _beside(photo, "moved"), before_after, work, force=force)
    _run_edit(shared, photo, edit, outputs, mask=mask, box=box, max_lpips=max_lpips)


@main.command()
@click.argument("photo", type=FILE)
@click.argument("object")
@click.option("--scale", type=float, required=True, help="2 doubles its width and height.")
@edit_options
@output_options
@common
def resize(
    shared: Common,
    photo: Path,
    object: str,
    scale: float,
    mask: Path | None,
    box: Numbers | None,
    before_after: Path | None,
    work: Path | None,
    max_lpips: float | None,
    output: Path | None,
    force: bool,
) -> None:
    """Enlarge or shrink an object where it stands.

    Example: realedit resize photo.png "blue can" --scale 1.4 -o larger.png
    """
    outputs = Outputs(output or _beside(photo, "resized"), before_after, work, force=force)
    _run_edit(shared, photo, lambda loaded: Resize(object, scale), outputs, mask=mask, box=box, max_lpips=max_lpips)


@main.command()
@click.option("--out-dir", type=FILE, default=Path("realedit-demo"), show_default=True, help="Where to write.")
@click.option("--force", is_flag=True, help="Replace the files of an earlier demo.")
@common
def demo(shared: Common, out_dir: Path, force: bool) -> None:
    """Move an object in a bundled photo: the whole job, offline, in under a minute."""
    from inversion.model import bundled_samples
    from realedit.images import check_folder, check_output

    with contextlib.suppress(OSError):
        out_dir.mkdir(parents=True, exist_ok=True)
    check_folder(out_dir)
    outputs = Outputs(out_dir / "after.png", out_dir / "before-after.png", report=out_dir / "report.json", force=force)
    check_output(outputs.result, force=force)
    example = json.loads((bundled_samples() / "photos" / "demo.json").read_text())
    photo = bundled_samples() / "photos" / example["photo"]
    shared.say(f'moving the "{example["object"]}" of {photo.name} to {example["to"][0]:g},{example["to"][1]:g}')
    _run_edit(shared, photo, lambda loaded: Move(example["object"], to=tuple(example["to"])), outputs)


@main.command()
@click.argument("photo", type=FILE)
@output_options
@common
def objects(shared: Common, photo: Path, output: Path | None, force: bool) -> None:
    """Show what the model sees: every phrase with its place, its size and its attention.

    Example: realedit objects photo.png --prompt "a photo of a red ball on a table"
    """
    from realedit.images import check_output, load_photo, write_whole

    loaded = load_photo(photo)
    output = output or _beside(photo, "objects", ".png")
    check_output(output, force=force, inputs=(photo,))
    prompt = shared.prompt_of(photo, loaded)
    model = shared.load()
    from realedit.inverting import see
    from realedit.naming import attention_sheet, name_objects

    with shared.progress(3 * shared.steps) as on_step:
        seen = see(
            model,
            loaded.tensor(),
            prompt,
            settings_from(shared.steps, shared.seed),
            shared.method,
            lambda i: on_step("inverting"),
        )
    found = name_objects(model, seen)
    sheet = attention_sheet(seen, found)
    write_whole(output, lambda file: sheet.save(file, format="PNG"))
    if shared.as_json:
        click.echo(json.dumps([o.as_dict() for o in found], indent=2))
    else:
        for o in found:
            place = f"({o.position[0]:.3f}, {o.position[1]:.3f})  size {o.size:.1%}"
            click.echo(f"{o.phrase:<28} {place}")
    shared.say(f"wrote {output}", when=not shared.as_json)


@main.command()
@click.argument("photo", type=FILE)
@common
def invert(shared: Common, photo: Path) -> None:
    """Find the noise in which the model holds a photo, and keep it for later edits."""
    from realedit.images import load_photo

    loaded = load_photo(photo)
    prompt = shared.prompt_of(photo, loaded)
    model = shared.load()
    import torch

    from realedit.faithfulness import compare
    from realedit.inverting import reconstruct, see
    from realedit.perceptual import best_perceptual
    from realedit.report import faithfulness_line

    perceptual = best_perceptual(model)
    with shared.progress(3 * shared.steps) as on_step, model.metered() as meter:
        seen = see(
            model,
            loaded.tensor(),
            prompt,
            settings_from(shared.steps, shared.seed),
            shared.method,
            lambda i: on_step("inverting"),
        )
    everywhere = torch.ones_like(seen.small[:, :1])
    bound = compare(seen.small, model.decode(model.encode(seen.small)).cpu(), everywhere, perceptual)
    rebuilt = compare(seen.small, reconstruct(model, seen.reference), everywhere, perceptual)
    if shared.as_json:
        click.echo(
            json.dumps(
                {
                    "reconstruction": vars(rebuilt),
                    "autoencoder": vars(bound),
                    "evaluations": meter.forward_equivalents,
                    "from_cache": seen.from_cache,
                },
                indent=2,
            )
        )
        return
    click.echo(f"reconstruction  {faithfulness_line(rebuilt)}")
    click.echo(f"autoencoder     {faithfulness_line(bound)} (the best any inversion can do)")
    click.echo(
        f"cost            {meter.forward_equivalents:.0f} network evaluations"
        + (", from the cache" if seen.from_cache else "")
    )
    shared.say(perceptual.note or "", when=perceptual.note is not None)


@main.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--region", type=FILE, help="Mask that is white where changes are allowed.")
@click.option("--max-lpips", type=click.FloatRange(min=0), help="Exit 1 if the rest changed more than this.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead of text.")
def check(before: Path, after: Path, region: Path | None, max_lpips: float | None, as_json: bool) -> None:
    """Measure how faithful an edit is, also one made by another program.

    Example: realedit check photo.png moved.png --region mask.png --max-lpips 0.05
    """
    from realedit.images import load_mask, load_photo

    one, two = load_photo(before), load_photo(after)
    if one.size != two.size:
        raise EditError(
            f"{before.name} is {one.size[0]}x{one.size[1]}, {after.name} is {two.size[0]}x{two.size[1]}; "
            "both must have the same size"
        )
    allowed = load_mask(region, one.size) if region is not None else None
    _quiet_libraries()
    import torch

    from inversion.model import load_model
    from realedit.faithfulness import compare
    from realedit.perceptual import best_perceptual
    from realedit.report import faithfulness_line

    perceptual = best_perceptual(load_model())
    if max_lpips is not None and perceptual.name != "lpips":
        raise ModelError(f"--max-lpips needs LPIPS: {perceptual.note}")
    outside = 1 - allowed if allowed is not None else torch.ones(1, 1, one.size[1], one.size[0])
    report = compare(one.tensor(), two.tensor(), outside, perceptual)
    values = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in vars(report).items()}
    click.echo(json.dumps(values, indent=2) if as_json else faithfulness_line(report))
    if perceptual.note and not as_json:
        click.echo(f"realedit: {perceptual.note}", err=True)
    if max_lpips is not None and report.perceptual > max_lpips:
        raise RealEditError(f"LPIPS is {report.perceptual:.4f}, above {max_lpips:g}")


@main.group()
def cache() -> None:
    """The recorded inversions that later edits reuse."""


@cache.command("ls")
def cache_ls() -> None:
    """List what is kept, newest first."""
    from realedit.cache import entries

    for entry in entries():
        click.echo(f"{entry.bytes / 1e6:8.1f} MB  {entry.path.name}")


@cache.command("clear")
def cache_clear() -> None:
    """Delete every kept inversion."""
    from realedit.cache import clear

    gone = clear()
    click.echo(f"deleted {len(gone)} references, {sum(e.bytes for e in gone) / 1e6:.1f} MB")


@cache.command("path")
def cache_path() -> None:
    """Print the folder."""
    from realedit.cache import folder

    click.echo(str(folder()))


def _quiet_libraries() -> None:
    """Keep other libraries' progress bars and advice off the user's terminal."""
    import logging
    import os
    import warnings

    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
