"""The options that say which system draws, and how. Nothing heavy: help needs it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from realedit.commands.options import Command, as_one
from realedit.commands.parameter_types import FiniteType

if TYPE_CHECKING:
    from realedit.engines import Engine

SELF_GUIDANCE = "self-guidance"
ENGINE_NAMES = (SELF_GUIDANCE, "sdedit")  # kept equal to `realedit.engines` by a test: help loads no pydantic


@dataclass(frozen=True)
class EngineOptions:
    """The name of an engine, and what is said to it; None: its paper's default."""

    engine_name: str = SELF_GUIDANCE
    strength: float | None = None
    repeats: int | None = None

    def engine(self) -> "Engine | None":
        """The engine as a value; None: self-guidance.

        Raises:
            click.UsageError: something is said that this engine does not take.
        """
        said = {name: value for name, value in vars(self).items() if name != "engine_name" and value not in (None, ())}
        if self.engine_name == SELF_GUIDANCE:
            if said:
                raise click.UsageError(f"--{next(iter(said))} is not for {SELF_GUIDANCE}; choose an --engine")
            return None
        from pydantic import TypeAdapter, ValidationError

        from realedit.engines import Engine

        values: dict[str, Any] = {"kind": self.engine_name, **said}
        try:
            return TypeAdapter(Engine).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            option = str(first["loc"][-1])
            if first["type"] == "extra_forbidden":
                raise click.UsageError(f"--{option} is not for the engine {self.engine_name}") from error
            raise click.UsageError(f"--{option}: {first['msg']}") from error


def engine_options(command: Command) -> Command:
    """Options of commands that draw a photo anew, handed on as one `EngineOptions`."""
    options = (
        click.option(
            "--engine",
            "engine_name",
            type=click.Choice(ENGINE_NAMES),
            default=SELF_GUIDANCE,
            show_default=True,
            help="What draws: sdedit makes sketches and composites photos; realedit methods tells of all.",
        ),
        click.option("--strength", type=FiniteType(), help="sdedit: share of the schedule that is drawn anew [0.5]."),
        click.option("--repeats", type=click.IntRange(1, 50), help="sdedit: how often it is drawn, in turn [3]."),
    )
    return as_one("chosen", EngineOptions, command, options)
