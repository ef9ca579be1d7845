"""Commands that find a direction from pictures, and move photos along it. Heavy imports stay inside functions: help
needs this module."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.engine_options import DIRECTION_ENGINES
from realedit.commands.marks import MarkOptions, mark_options
from realedit.commands.options import FORCE
from realedit.commands.output_options import DrawingOptions, drawing_options
from realedit.commands.parameter_types import FILE, FiniteType
from realedit.files.kinds import PIPE, edited_suffix

FARTHEST = 20.0  # gaps between the means of both kinds of pictures that a photo is moved by at most
TILES = 5  # values of a range


@dataclass(frozen=True)
class Slider:
    """Values along a direction; several were typed as a range."""

    values: tuple[float, ...]


class SliderType(click.ParamType):
    """A number, or two with dots between them ("-2..2"), which stand for five from the one to the other."""

    name = "NUMBER or FROM..TO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Slider:
        if isinstance(value, Slider):
            return value
        ends = str(value).split("..")
        if len(ends) > 2 or not all(ends):
            self.fail(f"{value!r} is neither a number nor a range, such as -2..2", param, ctx)
        low, *high = (FiniteType(-FARTHEST, FARTHEST).convert(end, param, ctx) for end in ends)
        if not high:
            return Slider((low,))
        if high[0] == low:
            self.fail(f"{value!r} is a range without extent; give one number for one picture", param, ctx)
        return Slider(tuple(round(low + (high[0] - low) * k / (TILES - 1), 6) for k in range(TILES)))


@click.group()
def direction() -> None:
    """What makes pictures with something differ from those without it, and photos with more or less of it."""


@direction.command()
@click.argument("positive", type=FILE)
@click.argument("negative", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="Folder that the direction is written to.")
@FORCE
@run_options
def fit(shared: RunOptions, positive: Path, negative: Path, output: Path, force: bool) -> None:
    """Find the direction from the photos of the folder NEGATIVE to those of POSITIVE. All are inverted under --prompt;
    default: none. Some fifty photos of each are enough; their middle squares are looked at.

    Example: realedit direction fit red/ blue/ -o redness
    """
    from realedit.commands.direction_job import fit_from_folders

    fit_from_folders(shared, (positive, negative), output, force=force)


@direction.command("apply")
@click.argument("photo", type=FILE)
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--by", "slider", type=SliderType(), required=True, help="How far: 1, or -2..2 for a sheet of a slider.")
@click.option(
    "--engine",
    type=click.Choice(DIRECTION_ENGINES),
    default=DIRECTION_ENGINES[0],
    show_default=True,
    help="boundary-diffusion moves latent and middle once and lets the model draw; asyrp the middle at every step.",
)
@mark_options
@drawing_options
@run_options
def apply_direction(
    shared: RunOptions,
    photo: Path,
    folder: Path,
    slider: Slider,
    engine: str,
    marks: MarkOptions,
    options: DrawingOptions,
) -> None:
    """Move a photo along the direction in DIR: 1 is from the mean of the pictures without it to that of those with it,
    -1 the same back. A range gives five numbered photos and a sheet of them.

    Example: realedit direction apply photo.png redness --by -2..2 --box 0.3,0.4,0.6,0.8
    """
    if len(slider.values) > 1 and options.output == PIPE:
        raise click.UsageError("standard output holds one picture; give -o a name for several")
    output = options.output or beside(photo, "moved-along", edited_suffix(photo, options.files.format))
    from realedit.commands.direction_job import slide

    engines = [{"kind": engine, "direction": str(folder), "by": by} for by in slider.values]
    slide(shared, photo, engines, marks, output, options)
