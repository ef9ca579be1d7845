"""The options that say what is written, and where: of edits, and of pictures that are drawn. Nothing heavy: help needs
it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inversion.errors import RealEditError
from realedit.commands.engine_options import ControlOptions, control_options
from realedit.commands.marks import MarkOptions, mark_options
from realedit.commands.options import FORCE, MAX_LPIPS, OUTPUT, Command, as_one, with_options
from realedit.commands.parameter_types import FILE, FiniteType
from realedit.files.kinds import PIPE, SUFFIXES
from realedit.settings import DEFAULTS, MOST_PITCH, Mode

if TYPE_CHECKING:
    from realedit.evaluation.report import EditReport

SIDECAR = click.option(
    "--sidecar/--no-sidecar", default=True, show_default=True, help="Write beside the result how it was made, for redo."
)
PITCH = click.option(
    "--pitch",
    type=FiniteType(-MOST_PITCH, MOST_PITCH),
    help="Degrees that the camera looked down; 0 keeps the object upright. Default: as lines in the photo tell.",
)
VARIATIONS = click.option(
    "--variations", type=click.IntRange(1, 64), default=1, show_default=True, help="Pictures, each with its own seed."
)


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

    def __post_init__(self) -> None:
        if (self.sign_cert is None) != (self.sign_key is None):
            raise click.UsageError("signing needs both --sign-cert and --sign-key")

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that are read for it."""
        return tuple(path for path in (self.sign_cert, self.sign_key) if path is not None)


def file_options(command: Command) -> Command:
    """Options of every command that writes photos, handed on as one `FileOptions`."""
    formats = [suffix[1:] for suffix in SUFFIXES.values()]
    options = (
        FORCE,
        click.option("--format", type=click.Choice(formats), help="Of results whose name does not say."),
        click.option("--mark/--no-mark", default=True, help="Say in the metadata that a model edited it."),
        click.option("--strip-gps", is_flag=True, help="Leave out where it was taken: positions and names of places."),
        click.option("--sign-cert", type=FILE, help="Certificates (PEM) for content credentials; see README."),
        click.option("--sign-key", type=FILE, help="Their private key (PEM)."),
    )
    return as_one("files", FileOptions, command, options)


@dataclass(frozen=True)
class DrawingOptions:
    """The values of the options of every command that draws whole pictures of one photo or none."""

    variations: int = 1
    output: Path | None = None
    sidecar: bool = True
    files: FileOptions = FileOptions()

    def __post_init__(self) -> None:
        if self.variations > 1 and self.output == PIPE:
            raise click.UsageError("standard output holds one picture; give -o a name for several")

    @property
    def suffix(self) -> str:
        """Of the result, where its name is not given."""
        return f".{self.files.format or 'png'}"


@dataclass(frozen=True)
class SceneOptions:
    """What fills old places, what stays in front of what is set down, what becomes of shadows, how wide seams are, and
    maps that what is regenerated follows."""

    fill: str = "auto"
    behind: Path | None = None
    shadow: str = "auto"
    feather: float = DEFAULTS.feather
    followed: ControlOptions = ControlOptions()

    def recipe(self) -> dict[str, Any]:
        """The same as a recipe would say it."""
        own = {name: value for name, value in vars(self).items() if name != "followed"}
        said = {name: str(value) if isinstance(value, Path) else value for name, value in own.items()}
        return {**said, "controls": self.followed.controls()}


def scene_options(command: Command) -> Command:
    """Options of commands that move objects or take them away, handed on as one `SceneOptions`."""
    options = (
        click.option(
            "--fill",
            default="auto",
            show_default=True,
            help="What fills old places: migan, photo, model, repaint, or an inpainting model (folder, hub id, .onnx).",
        ),
        click.option("--behind", type=FILE, help="Picture that is white where the photo stays in front."),
        click.option("--shadow", type=click.Choice(("auto", "none")), default="auto", help="none: shadows stay."),
        click.option(
            "--feather",
            type=FiniteType(0, 0.2),
            default=DEFAULTS.feather,
            show_default=True,
            help="Width of seams at most, of the photo's shorter side; less around small things.",
        ),
    )
    return control_options(as_one("scene", SceneOptions, command, options))


@dataclass(frozen=True)
class EditOptions:
    """The values of the options that every editing command shares."""

    marks: MarkOptions = MarkOptions()
    scene: SceneOptions = SceneOptions()
    pitch: float | None = None
    output: Path | None = None
    out_dir: Path | None = None
    skip_existing: bool = False
    before_after: Path | None = None
    work: Path | None = None
    max_lpips: float | None = None
    keep_going: bool = False
    strict: bool = False
    mode: Mode | None = None
    energies: str | None = None
    sidecar: bool = True
    files: FileOptions = FileOptions()

    def __post_init__(self) -> None:
        if self.output is not None and self.out_dir is not None:
            raise click.UsageError("give either -o or --out-dir")
        if self.before_after == PIPE:
            raise click.UsageError("--before-after takes the name of a file; standard output holds one picture")

    def drawn(self) -> dict[str, Any]:
        """How the edit is made, where that is said, as a recipe would say it."""
        said = {"mode": self.mode.value if self.mode else None, "energies": self.energies}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def accepted(self) -> "Acceptance":
        return Acceptance(self.max_lpips, self.keep_going, self.strict)


@dataclass(frozen=True)
class Acceptance:
    """What a result must be: not farther off than `max_lpips` outside the edit, None: however far; unless `keep_going`
    is asked for not judged to have failed; and if `strict` with energies that came down to their goal."""

    max_lpips: float | None = None
    keep_going: bool = False
    strict: bool = False

    def check_verdict(self, report: "EditReport") -> None:
        """Raises `RealEditError` if a result has failed, and shall not be written then."""
        if report.verdict.failed and not self.keep_going:
            raise RealEditError(f"{report.verdict.to_text()}; nothing was written, --keep-going writes it all the same")

    def check_outside(self, report: "EditReport") -> None:
        """Raises `RealEditError` if the rest of a photo changed more than accepted."""
        changed = report.outside.perceptual
        if self.max_lpips is not None and changed > self.max_lpips:
            raise RealEditError(
                f"outside the edit LPIPS is {changed:.4f}, above {self.max_lpips:g}; the result is kept"
            )

    def check_energies(self, report: "EditReport") -> None:
        """Raises `RealEditError` if the energies of a strict run were not met, or not measured."""
        if not self.strict or (report.guidance and report.guidance.met):
            return
        reached = report.guidance.to_text() if report.guidance else f"no energy was measured ({report.mode.to_text()})"
        raise RealEditError(f"--strict: {reached}; the result is kept")


WRITTEN = (
    OUTPUT,
    click.option("--out-dir", type=FILE, help="Folder for results, under the photos' own names."),
    click.option("--skip-existing", is_flag=True, help="Pass over photos whose result is there already."),
    click.option("--before-after", type=FILE, help="Also write before and after in one picture."),
    click.option("--work", type=FILE, help="Folder for pictures of the steps in between."),
    MAX_LPIPS,
    click.option("--strict", is_flag=True, help="Exit 1 where the energies did not come down to their goal."),
    click.option(
        "--mode",
        type=click.Choice(Mode, case_sensitive=False),
        help="composite: of the photo's pixels; regenerate: by the model alone, under self-guidance; pixels: without "
        "a model. Default: auto.",
    ),
    click.option(
        "--energies",
        metavar="WHAT",
        help="What regenerating is guided by: attention; readout, trained heads of the model; or a folder of those.",
    ),
    click.option("--keep-going", is_flag=True, help="Write a result that is judged to have failed too, and exit 0."),
    SIDECAR,
)


def result_options(command: Command) -> Command:
    """Hand what is written, and how it is checked, to a command as one `EditOptions`."""
    return with_options(file_options(as_one("options", EditOptions, command, ())), WRITTEN)


def edit_options(command: Command) -> Command:
    """The same, and where the edited object is."""
    return mark_options(result_options(command))


def drawing_options(command: Command) -> Command:
    """Hand where a drawn picture is written to a command as one `DrawingOptions`."""
    return with_options(file_options(as_one("options", DrawingOptions, command, ())), (OUTPUT, SIDECAR))


def variation_options(command: Command) -> Command:
    """The same, and how many pictures are drawn."""
    return VARIATIONS(drawing_options(command))
