"""The command that drags what is seen at points. Heavy imports stay inside functions: help needs this module."""

from pathlib import Path

import click

from realedit.commands.context import RunOptions, beside, run_options
from realedit.commands.marks import MarkOptions, mark_options
from realedit.commands.output_options import DrawingOptions, drawing_options
from realedit.commands.parameter_types import FILE, POINT, Coordinates
from realedit.files.kinds import edited_suffix


@click.command()
@click.argument("photo", type=FILE)
@click.option("--from", "starts", type=POINT, multiple=True, required=True, help="A point of the photo.")
@click.option("--to", "ends", type=POINT, multiple=True, required=True, help="Where what is there shall be seen.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=80, show_default=True, help="Of dragging, at most.")
@mark_options
@drawing_options
@run_options
def drag(
    shared: RunOptions,
    photo: Path,
    starts: tuple[Coordinates, ...],
    ends: tuple[Coordinates, ...],
    rounds: int,
    marks: MarkOptions,
    options: DrawingOptions,
) -> None:
    """Drag what is seen at points to others, so that what hangs together with it follows. --from and --to come in
    pairs. With --box or --point the object and its way alone may change, with --mask what is white in that.

    Example: realedit drag photo.png --from 0.4,0.5 --to 0.5,0.5 --point 0.4,0.5 -o dragged.png
    """
    if len(starts) != len(ends):
        raise click.UsageError("give as many --to as --from: one for each point, in the same order")
    output = options.output or beside(photo, "dragged", edited_suffix(photo, options.files.format))
    from realedit.commands.generation_batch import asked_of_part, vary

    points = [{"from": start, "to": end} for start, end in zip(starts, ends, strict=True)]
    asked = {"kind": "redraw", "engine": {"kind": "drag", "points": points, "rounds": rounds}}
    vary(shared, photo, asked_of_part(shared, asked, marks), output, options)
