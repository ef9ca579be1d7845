"""The command line: which commands there are, and how errors end. A command is imported when it is asked for."""

import atexit
import gc
import io
import sys
from collections import UserDict
from importlib import import_module
from typing import Any

import click

from inversion.errors import RealEditError

INTERRUPTED = 130
# New objects, and passes over the young and then the middle-aged ones, from which Python looks for garbage. Libraries
# make a million objects as they are imported, all of which stay: with Python's own numbers a fifth of that time goes
# into looking through them.
COLLECTED_FROM = 100_000, 20, 20
MODULES = {
    **dict.fromkeys(("move", "resize", "restyle", "transfer", "swap", "remove", "duplicate", "compose"), "edits"),
    **dict.fromkeys(("edit", "recipe-schema", "redo"), "recipes"),
    **dict.fromkeys(("generate", "relook", "relayout", "fill"), "generate"),
    **dict.fromkeys(("objects", "invert", "check"), "inspection"),
    "batch": "job_lists",
    **dict.fromkeys(("cache", "demo", "direction", "doctor", "drag", "explain", "mask", "methods", "ui")),
}
"""In which module of `realedit.commands` each command lies; None: in one of its own name."""


class LazyCommands(UserDict):
    """The commands by their names."""

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"realedit.commands.{super().__getitem__(name) or name}")
        return getattr(module, name.replace("-", "_"))


class Failure(click.ClickException):
    """An error that ends in one line and its exit code."""

    exit_code: int  # type: ignore[misc]  # click means one for the whole class

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: object = None) -> None:
        click.echo(f"realedit: {self.message}", err=True)


class Group(click.Group):
    """Turns every error that a user can mend into a `Failure`."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Whatever a terminal's or a pipe's encoding lacks is printed as escapes, such as names in the locale C. Python
        looks for garbage seldom, and not once more when the process ends, which takes two seconds."""
        gc.set_threshold(*COLLECTED_FROM)
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except RealEditError as error:
            raise Failure(str(error), error.exit_code) from error
        except KeyboardInterrupt as error:
            click.echo(err=True)  # ends the line in which a terminal shows ^C
            raise Failure("interrupted; no unfinished file was left", INTERRUPTED) from error
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            raise Failure("out of memory; try --memory lean, then --dtype bfloat16, then --device cpu", 1) from error


@click.group(cls=Group, commands=LazyCommands(MODULES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="realedit")
def main() -> None:
    """Edit your own photos: move, resize and restyle objects, and keep everything else as it was.

    OBJECT is a phrase of the photo's prompt, such as "red ball". Positions are fractions X,Y of the
    photo from its top left corner, or pixels: 84px,72px.
    """


if __name__ == "__main__":
    main()
