"""How a batch shows how far it is, on stderr: one bar on a terminal, a line a minute elsewhere."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

import click

from realedit.batch.run import Progress, Told

LINE_EVERY = 60.0  # seconds


@contextlib.contextmanager
def shown(progress: Progress, *, quiet: bool) -> Iterator[Told]:
    """What is to be told after each job; nothing is shown if `quiet`."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar(progress) as told:
            yield told
    else:
        with _lines(progress):
            yield lambda progress: None


@contextlib.contextmanager
def _bar(progress: Progress) -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn()
    began = time.monotonic()
    with Bar(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=progress.count, said="loading the model")

        def told(now: Progress) -> None:
            ended = now.done + now.failed
            rate = _rate(ended, time.monotonic() - began)
            bar.update(task, completed=ended, said=f"{rate}, {now.failed} failed")

        yield told


@contextlib.contextmanager
def _lines(progress: Progress) -> Iterator[None]:
    over, began = threading.Event(), time.monotonic()

    def say() -> None:
        while not over.wait(LINE_EVERY):
            click.echo(f"realedit: {line_of(progress, time.monotonic() - began)}", err=True)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def line_of(progress: Progress, seconds: float) -> str:
    """How far a run is after so many seconds."""
    ended = progress.done + progress.failed
    left = f", {duration(seconds / ended * progress.left)} left" if ended and progress.left else ""
    return f"{ended} of {progress.count}, {progress.failed} failed, {_rate(ended, seconds)}{left}"


def _rate(ended: int, seconds: float) -> str:
    per_minute = ended / max(seconds, 1e-3) * 60
    return f"{per_minute:.0f} a minute" if per_minute >= 10 else f"{per_minute:.1f} a minute"


def duration(seconds: float) -> str:
    """In words that fit its size."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
