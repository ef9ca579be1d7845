"""The options that commands share. No torch."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from realedit.commands.parameter_types import BOX, FILE, POINT, Coordinates
from realedit.files.kinds import SUFFIXES
from realedit.settings import DEFAULTS, MEMORY_NAMES, METHOD_NAMES, MOST_PITCH, ModelChoice, Settings

FORMAT_NAMES = tuple(suffix[1:] for suffix in SUFFIXES.values())


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the options that say which model is used to a command as one `ModelOptions`."""
    default = ModelChoice()
    options = (
        click.option(
            "--model", default=default.model, show_default=True, help="Bundled, folder, .safetensors file, or hub id."
        ),
        click.option("--revision", help="Of a hub model: branch, tag or commit."),
        click.option("--variant", help="Of the model's weights, such as fp16."),
        click.option("--offline", is_flag=True, help="Fetch nothing."),
        click.option("--device", default=default.device, show_default=True, help="cpu, cuda, cuda:1, mps."),
        click.option(
            "--dtype",
            type=click.Choice(("auto", "float32", "bfloat16", "float16")),
            default=default.dtype,
            show_default=True,
            help="Of the U-Net; everything else is float32.",
        ),
        click.option(
            "--memory",
            type=click.Choice(MEMORY_NAMES),
            default=default.memory,
            show_default=True,
            help="What is done to fit the device; auto finds out what is needed.",
        ),
    )
    return as_one("model_options", ModelChoice, command, options)


def seeing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that looks at a photo with a model."""
    command = model_options(command)
    for option in reversed(
        (
            click.option("--prompt", help="What the photo shows; default: a .txt beside it, or its description."),
            click.option(
                "--method",
                type=click.Choice(METHOD_NAMES),
                default=METHOD_NAMES[0],
                show_default=True,
                help="How the photo is inverted.",
            ),
            click.option(
                "--steps",
                type=click.IntRange(2, 1000),
                default=DEFAULTS.steps,
                show_default=True,
                help="Steps between noise and photo.",
            ),
            click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True, help="Of all fresh noise."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead of text."),
            click.option("-q", "--quiet", is_flag=True, help="No progress and no notes."),
            click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
        )
    ):
        command = option(command)
    return command


def as_one(
    name: str, kind: type, command: Callable[..., Any], options: tuple[Callable[..., Any], ...]
) -> Callable[..., Any]:
    """A command with options whose values it is given as one value of a dataclass, called `name`."""

    @functools.wraps(command)
    def wrapped(**values: Any) -> Any:
        own = {f.name: values.pop(f.name) for f in fields(kind) if f.name in values}
        return command(**{name: kind(**own)}, **values)

    gathered: Callable[..., Any] = wrapped
    for option in reversed(options):
        gathered = option(gathered)
    return gathered


OUTPUT = click.option("-o", "--output", type=FILE, help='Where to write, "-" for standard output; default: beside.')
SIDECAR = click.option(
    "--sidecar/--no-sidecar", default=True, show_default=True, help="Write beside the result how it was made, for redo."
)
FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that writes a picture which is no photo."""
    return OUTPUT(FORCE(command))


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that writes photos, handed on as one `FileOptions`."""
    options = (
        FORCE,
        click.option("--format", type=click.Choice(FORMAT_NAMES), help="Of results whose name does not say."),
        click.option("--mark/--no-mark", default=True, help="Say in the metadata that a model edited it."),
        click.option("--strip-gps", is_flag=True, help="Leave out where the photo was taken."),
        click.option("--sign-cert", type=FILE, help="Certificates (PEM) for content credentials; see README."),
        click.option("--sign-key", type=FILE, help="Their private key (PEM)."),
    )
    return as_one("files", FileOptions, command, options)


@dataclass(frozen=True)
class FileOptions:
    """How files are written: in which `format` where the name does not say, over others (`force`) or not,
    marked as edited by a model or not, with or without the place where the photo was taken, and signed
    with a certificate and its key or not."""

    force: bool = False
    format: str | None = None
    mark: bool = True
    strip_gps: bool = False
    sign_cert: Path | None = None
    sign_key: Path | None = None


@dataclass(frozen=True)
class EditOptions:
    """The values of the options that every editing command shares."""

    mask: Path | None = None
    box: Coordinates | None = None
    point: Coordinates | None = None
    segmenter: str | None = None
    pitch: float | None = None
    output: Path | None = None
    out_dir: Path | None = None
    skip_existing: bool = False
    before_after: Path | None = None
    work: Path | None = None
    max_lpips: float | None = None
    sidecar: bool = True
    files: FileOptions = FileOptions()


PITCH = click.option(
    "--pitch",
    type=click.FloatRange(-MOST_PITCH, MOST_PITCH),
    help="Degrees that the camera looked down; 0 keeps the object upright. Default: as lines in the photo tell.",
)


def result_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand what is written, and how it is checked, to a command as one `EditOptions`."""
    return _gathered(command, ())


def edit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and where the edited object is."""
    marks = (
        click.option("--mask", type=FILE, help="Picture that is white where the object is."),
        click.option("--box", type=BOX, help="Box around the object: LEFT,TOP,RIGHT,BOTTOM."),
        click.option("--point", type=POINT, help="A point on the object."),
        click.option("--segmenter", metavar="SAM", help="Ask this SAM (folder or hub id) what lies at --point."),
    )
    return _gathered(command, marks)


def _gathered(command: Callable[..., Any], marks: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    written = (
        OUTPUT,
        click.option("--out-dir", type=FILE, help="Folder for results, under the photos' own names."),
        click.option("--skip-existing", is_flag=True, help="Pass over photos whose result is there already."),
        click.option("--before-after", type=FILE, help="Also write before and after in one picture."),
        click.option("--work", type=FILE, help="Folder for pictures of the steps in between."),
        click.option("--max-lpips", type=click.FloatRange(min=0), help="Exit 1 if the rest changed more than this."),
        SIDECAR,
    )
    gathered = file_options(as_one("options", EditOptions, command, ()))
    for option in reversed((*marks, *written)):
        gathered = option(gathered)
    return gathered


def settings_from(steps: int, seed: int) -> Settings:
    return Settings(steps=steps, seed=seed)
