"""The options that say which system draws, and how. Nothing heavy: help needs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.commands.options import Command, as_one
from realedit.commands.parameter_types import FILE, WORDS, FiniteType
from realedit.settings import Guider

if TYPE_CHECKING:
    from realedit.engines import Engine

SELF_GUIDANCE = "self-guidance"
ENGINE_NAMES = (  # kept equal to `realedit.engines` by a test: help loads no pydantic
    SELF_GUIDANCE,
    "sdedit",
    "prompt-to-prompt",
    "plug-and-play",
    "pix2pix-zero",
    "diffuse-it",
    "guide-and-rescale",
)
DIRECTION_ENGINES = ("boundary-diffusion", "asyrp")  # which follow a direction, the first by default
OPTION_NAMES = {"weights": "weight", "blend": "only", "bank": "from-sentences"}  # of fields that are called otherwise


class WeightType(click.ParamType):
    """A phrase and its weight, as in "striped=1.5"."""

    name = "WORDS=NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        phrase, sign, number = str(value).rpartition("=")
        if not sign or not phrase.strip():
            self.fail(f'{value!r} is no weight of words, such as "striped=1.5"', param, ctx)
        return phrase.strip(), FiniteType(-10, 10).convert(number, param, ctx)


@dataclass(frozen=True)
class EngineOptions:
    """The name of an engine, and what is said to it; None or nothing: its paper's default."""

    engine_name: str = SELF_GUIDANCE
    strength: float | None = None
    repeats: int | None = None
    weights: tuple[tuple[str, float], ...] = ()
    blend: str | None = None
    from_sentences: Path | None = None
    to_sentences: Path | None = None
    vit: str | None = None
    like: Path | None = None

    def __post_init__(self) -> None:
        if (self.from_sentences is None) != (self.to_sentences is None):
            raise click.UsageError("a direction needs both --from-sentences and --to-sentences")

    def engine(self) -> "Engine | None":
        """The engine as a value; None: self-guidance.

        Raises:
            click.UsageError: something is said that this engine does not take.
            EditError: a file of sentences cannot be read, or has none.
        """
        said: dict[str, Any] = {
            "strength": self.strength,
            "repeats": self.repeats,
            "weights": dict(self.weights) or None,
            "blend": self.blend,
            "bank": self._bank(),
            "vit": self.vit,
            "like": str(self.like) if self.like is not None else None,
        }
        said = {name: value for name, value in said.items() if value is not None}
        if self.engine_name == SELF_GUIDANCE:
            if said:
                raise click.UsageError(f"{_option(next(iter(said)))} is not for {SELF_GUIDANCE}; choose an --engine")
            return None
        from pydantic import TypeAdapter, ValidationError

        from realedit.engines import Engine

        try:
            return TypeAdapter[Any](Engine).validate_python({"kind": self.engine_name, **said})
        except ValidationError as error:
            first = error.errors()[0]
            option = _option(str(first["loc"][1]))
            if first["type"] == "extra_forbidden":
                raise click.UsageError(f"{option} is not for the engine {self.engine_name}") from error
            raise click.UsageError(f"{option}: {first['msg']}") from error

    def _bank(self) -> dict[str, list[str]] | None:
        if self.from_sentences is None or self.to_sentences is None:
            return None
        from realedit.files.sentences import read_sentences

        return {"old": read_sentences(self.from_sentences), "new": read_sentences(self.to_sentences)}


def _option(field: str) -> str:
    return f"--{OPTION_NAMES.get(field, field)}"


def engine_options(command: Command) -> Command:
    """Options of commands that draw a photo anew, handed on as one `EngineOptions`."""
    options = (
        click.option(
            "--engine",
            "engine_name",
            type=click.Choice(ENGINE_NAMES),
            default=SELF_GUIDANCE,
            show_default=True,
            help="What draws. self-guidance: a new picture. The others edit the photo itself: sdedit makes sketches "
            "photos, prompt-to-prompt changes words, plug-and-play material and style, pix2pix-zero one thing into "
            "another, diffuse-it words or looks on a structure that a ViT sees; realedit methods tells more.",
        ),
        click.option(
            "--strength", type=FiniteType(), help="sdedit, diffuse-it: share of the schedule drawn [0.5, 0.6]."
        ),
        click.option("--repeats", type=click.IntRange(1, 50), help="sdedit: how often it is drawn, in turn [3]."),
        click.option(
            "--weight", "weights", type=WeightType(), multiple=True, help="prompt-to-prompt: of words of --as."
        ),
        click.option("--only", "blend", type=WORDS, help="prompt-to-prompt: words whose place alone may change."),
        click.option("--from-sentences", type=FILE, help="pix2pix-zero: text file, a sentence a line, of what it is."),
        click.option("--to-sentences", type=FILE, help="pix2pix-zero: the same of what it becomes."),
        click.option("--vit", help="diffuse-it: vision transformer (folder, hub id) [the model's autoencoder]."),
        click.option("--like", type=FILE, help="diffuse-it: picture whose look is taken on."),
    )
    return as_one("chosen", EngineOptions, command, options)


@dataclass(frozen=True)
class ControlOptions:
    """Maps, the ControlNets that see them, in the same order, and how strongly: none, one for all, or one for each."""

    maps: tuple[Path, ...] = ()
    networks: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.maps) != len(self.networks):
            raise click.UsageError("give as many --controlnet as --control: one for each map, in the same order")
        if len(self.scales) not in (0, 1, len(self.maps)):
            raise click.UsageError("give one --control-scale for all maps, or one for each")

    def controls(self) -> list[dict[str, Any]]:
        """The same as a recipe would say it."""
        scales = self.scales * len(self.maps) if len(self.scales) == 1 else self.scales or (1.0,) * len(self.maps)
        every = zip(self.maps, self.networks, scales, strict=True)
        return [{"picture": str(picture), "model": model, "scale": scale} for picture, model, scale in every]


def control_options(command: Command) -> Command:
    """Options of commands whose pictures may follow maps, handed on as one `ControlOptions`."""
    options = (
        click.option("--control", "maps", type=FILE, multiple=True, help="Map that the picture follows: edges, depth."),
        click.option("--controlnet", "networks", multiple=True, help="What sees it: tabletop-edges, folder or hub id."),
        click.option("--control-scale", "scales", type=FiniteType(0, 5), multiple=True, help="How strongly [1]."),
    )
    return as_one("followed", ControlOptions, command, options)


@dataclass(frozen=True)
class ClassOptions:
    """Classes that a picture shall show, and how a classifier guides to them; None: the default."""

    classes: tuple[str, ...] = ()
    classifier: str | None = None
    class_scale: float | None = None
    class_on: str | None = None

    def __post_init__(self) -> None:
        if not self.classes and any(each is not None for each in (self.classifier, self.class_scale, self.class_on)):
            raise click.UsageError("say with --class what the picture shall show")

    def guidance(self) -> dict[str, Any] | None:
        """The same as a recipe would say it; None where no class is asked for."""
        if not self.classes:
            return None
        said = {"classifier": self.classifier, "scale": self.class_scale}
        told = {name: value for name, value in said.items() if value is not None}
        return {"words": self.classes, "predicted": self.class_on == CLASS_ON[1], **told}


CLASS_ON = ("noisy", "predicted")


def class_options(command: Command) -> Command:
    """Options of commands whose pictures a classifier may guide, handed on as one `ClassOptions`."""
    options = (
        click.option("--class", "classes", type=WORDS, multiple=True, help="What a classifier shall see: red, ball."),
        click.option("--classifier", help="Its folder; default: the bundled model's."),
        click.option(
            "--class-scale", type=FiniteType(0, 1000), help="How strongly [10]; the bundled one's shows from 20 on."
        ),
        click.option("--class-on", type=click.Choice(CLASS_ON), help="What it looks at [noisy]."),
    )
    return as_one("shown", ClassOptions, command, options)


GUIDER = click.option(
    "--guider",
    type=click.Choice([each.value for each in Guider]),
    default=Guider.PLAIN.value,
    show_default=True,
    help="How prompted and unprompted predictions are combined.",
)
