"""The options that mark where an object is, in the photo that is edited or in another one. Nothing heavy: help needs
it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from realedit.commands.options import Command, as_one
from realedit.commands.parameter_types import BOX, FILE, POINT, Coordinates


@dataclass(frozen=True)
class MarkOptions:
    """Where the user says an object is: a `mask`, which goes before the others, or any of those together, of which a
    `segmenter` may be asked."""

    mask: Path | None = None
    box: Coordinates | None = None
    points: tuple[Coordinates, ...] = ()
    excluded: tuple[Coordinates, ...] = ()
    around: Path | None = None
    segmenter: str | None = None

    def __post_init__(self) -> None:
        rough = self.box is not None or self.around is not None or bool(self.points)
        if self.excluded and self.mask is None and not rough:
            raise click.UsageError("--not says what is beside the object; give it with --point or --box")
        if self.segmenter is not None and self.around is not None:
            raise click.UsageError("--segmenter takes points and a box; give no --around with it")

    def __bool__(self) -> bool:
        return self != MarkOptions()

    def where(self) -> dict[str, Any] | None:
        """The same as a recipe would say it, with coordinates as typed; None where nothing is marked."""
        if self.mask is not None:
            return {"mask": str(self.mask)}
        values = {
            "around": str(self.around) if self.around is not None else None,
            "box": self.box,
            "point": self.points[0] if len(self.points) == 1 else [*self.points] or None,
            "not": [*self.excluded] or None,
            "segmenter": self.segmenter,
        }
        return {name: value for name, value in values.items() if value is not None} or None


def mark_options(command: Command) -> Command:
    """Options that mark the object, handed on as one `MarkOptions`."""
    options = (
        click.option("--mask", type=FILE, help="Picture that is white where the object is; goes before other marks."),
        click.option("--box", type=BOX, help="Box around the object: LEFT,TOP,RIGHT,BOTTOM."),
        click.option(
            "--point", "points", type=POINT, multiple=True, help="A point on the object; several are allowed."
        ),
        click.option("--not", "excluded", type=POINT, multiple=True, help="A point beside it; several are allowed."),
        click.option("--around", type=FILE, help="Picture with a rough white scribble over the object."),
        click.option("--segmenter", metavar="SAM", help="Ask this SAM (folder or hub id) what is marked."),
    )
    return as_one("marks", MarkOptions, command, options)


@dataclass(frozen=True)
class SourceOptions:
    """The other photo that something is taken from, and what is said of it and of the object there."""

    source: Path
    from_object: str | None = None
    from_prompt: str | None = None
    from_mask: Path | None = None
    from_box: Coordinates | None = None
    from_points: tuple[Coordinates, ...] = ()

    @property
    def marks(self) -> MarkOptions:
        """Where the object is in the other photo."""
        return MarkOptions(self.from_mask, self.from_box, self.from_points)


def source_options(command: Command) -> Command:
    """Options of commands that take something from another photo, handed on as one `SourceOptions`."""
    options = (
        click.option("--from", "source", type=FILE, required=True, help="The other photo."),
        click.option("--from-object", help="The object there; default: what is marked, or is named most clearly."),
        click.option("--from-prompt", help="What the other photo shows; default as for --prompt."),
        click.option("--from-mask", type=FILE, help="Picture that is white where the object is there."),
        click.option("--from-box", type=BOX, help="Box around the object there."),
        click.option("--from-point", "from_points", type=POINT, multiple=True, help="A point on the object there."),
    )
    return as_one("taken", SourceOptions, command, options)
