"""How a command shows what it is doing: a live line on a terminal, a line per stage elsewhere, both on stderr. Nothing
heavy: the first sign comes before torch is imported."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

ShowStage = Callable[[str], None]
"""Called with a stage's name when it begins; each further call with the same name is a step of it."""
CLEAR_LINE = "\r\x1b[2K"


class StageLines:
    """A line when a stage begins, for logs and pipes."""

    def __init__(self) -> None:
        self._stage = ""

    def __call__(self, stage: str) -> None:
        if stage != self._stage:
            self._stage = stage
            click.echo(f"{stage} ...", err=True)


@contextlib.contextmanager
def live_stages() -> Iterator[ShowStage]:
    """One line with a spinner, which moves by itself, the stage, its steps so far, and the time."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}{task.fields[steps]}"), TimeElapsedColumn()
    current, steps = "", 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as line:
        task = line.add_task("starting", total=None, steps="")

        def show(stage: str) -> None:
            nonlocal current, steps
            current, steps = (stage, steps + 1) if stage == current else (stage, 0)
            line.update(task, description=stage, steps=f", step {steps}" if steps else "")

        yield show


@contextlib.contextmanager
def stages(*, quiet: bool) -> Iterator[ShowStage]:
    """What to tell of stages, as fits stderr; nobody if `quiet`."""
    if quiet:
        yield lambda stage: None
    elif sys.stderr.isatty():
        with live_stages() as show:
            yield show
    else:
        yield StageLines()


@contextlib.contextmanager
def reading(path: Path, *, quiet: bool) -> Iterator[None]:
    """Say on a terminal that a photo is read and checked. Elsewhere nothing is said yet: what is asked wrongly ends in
    one line."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    click.echo(f"reading {path.name} ...", nl=False, err=True)
    try:
        yield
    finally:
        click.echo(CLEAR_LINE, nl=False, err=True)
