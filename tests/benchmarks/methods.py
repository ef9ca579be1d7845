"""Every system on the task that it is for.

    python -m tests.benchmarks.methods [--scenes N] [--json FILE] [--sheet PICTURE] [--results DIR] [--task TASK ...]

Each task is done in N held-out scenes whose true result is rendered (`method_tasks.py`), by every system that is for it
(`method_rows.py`). With `--results` every picture and its measures are kept, and a run goes on where it was ended.
"""

import functools
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torchvision.transforms.functional import pil_to_tensor

from inversion.loading import load_model
from realedit.evaluation.perceptual import perceptual_metric
from realedit.images import to_bytes
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.method_rig import Rig, Row
from tests.benchmarks.method_tasks import TASKS, Measures
from tests.benchmarks.relocation import run
from tests.benchmarks.rows import measured
from tests.benchmarks.sheet import contact_sheet
from tests.benchmarks.statistics import Estimate, median, share

MOST_SHOWN = 6  # scenes on a sheet
DIGITS = {"success": 2, "identical_outside": 2, "forward_equivalents": 0, "perceptual_region_median": 3}


@dataclass(frozen=True)
class Kept:
    """What is known of one picture: the `file` that shows it, its measures and its cost."""

    file: Path
    measures: Measures
    forward_equivalents: float
    seconds: float

    @property
    def picture(self) -> Tensor:
        """(1, 3, H, W) in [0, 1]."""
        return pil_to_tensor(Image.open(self.file))[None].float() / 255


@dataclass(frozen=True)
class MethodContest:
    """All systems of a task on one case; a value that every worker process can make its systems of."""

    model: str
    task: str
    only: tuple[str, ...]
    folder: Path
    threads: int | None = None

    def __call__(self, case: Any) -> dict[str, Kept]:
        return {name: self._kept(name, row, case) for name, row in self._rows().items()}

    @property
    def _rig(self) -> Rig:
        return _rig(self.model, TASKS[self.task].model, self.threads)

    def _rows(self) -> dict[str, Row]:
        rows = TASKS[self.task].rows(self._rig)
        return {name: row for name, row in rows.items() if not self.only or name in self.only}

    def _kept(self, name: str, row: Row, case: Any) -> Kept:
        """What a system draws; each pays for its own inversion."""
        file = self.folder / self.task / case.name / f"{name}.png"
        told = file.with_suffix(".json")
        if not told.exists():
            rig = self._rig
            with fresh_cache():
                outcome = measured(row, case, rig.model)
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(to_bytes(outcome.picture)).save(file)
            picture = pil_to_tensor(Image.open(file))[None].float() / 255
            found = TASKS[self.task].measures(case, picture, outcome.touched, rig.perceptual)
            cost = {"forward_equivalents": outcome.forward_equivalents, "seconds": outcome.seconds}
            told.write_text(json.dumps({"measures": asdict(found), **cost}))
        known = json.loads(told.read_text())
        return Kept(file, Measures(**known.pop("measures")), **known)


@functools.cache
def _rig(asked: str, own: str | None, threads: int | None) -> Rig:
    """With a task's own model, or the one that is asked for, which tells distances."""
    if own is not None:
        return Rig(load_model(own, device="cpu"), _rig(asked, None, threads).perceptual)
    if threads:
        torch.set_num_threads(threads)
    model = load_model(asked, device="cpu")
    return Rig(model, perceptual_metric(model))


def summary(found: Sequence[Kept]) -> dict[str, Estimate]:
    """The columns of one system on one task."""

    def middle(measure: str) -> Estimate:
        return median([getattr(each.measures, measure) for each in found])

    return {
        "success": share([each.measures.success for each in found]),
        "psnr_region_median": middle("psnr_region"),
        "perceptual_region_median": middle("perceptual_region"),
        "psnr_outside_median": middle("psnr_outside"),
        "perceptual_outside_median": middle("perceptual_outside"),
        "identical_outside": share([each.measures.identical for each in found]),
        "forward_equivalents": median([each.forward_equivalents for each in found]),
        "seconds": median([each.seconds for each in found]),
    }


def as_json(tables: Mapping[str, Mapping[str, Mapping[str, Estimate]]], scenes: int) -> str:
    """Infinite numbers, such as the PSNR of what is identical, become null."""

    def plain(value: float) -> float | None:
        return value if value == value and abs(value) != float("inf") else None

    tasks = {
        task: {name: {column: plain(each.value) for column, each in columns.items()} for name, columns in rows.items()}
        for task, rows in tables.items()
    }
    return json.dumps({"scenes": scenes, "tasks": tasks}, indent=2)


def as_table(task: str, rows: Mapping[str, Mapping[str, Estimate]]) -> Table:
    """A line for each system."""
    drawn = Table(task, *next(iter(rows.values())))
    for name, columns in rows.items():
        drawn.add_row(name, *(f"{each.value:.{DIGITS.get(column, 1)}f}" for column, each in columns.items()))
    return drawn


def write_sheet(results: Mapping[str, tuple[Sequence[Any], Mapping[str, Sequence[Kept]]]], path: Path) -> None:
    """For each task the photos, the true results, and a row for each system; a column for each of the first scenes."""
    lines: list[tuple[str, list[Tensor]]] = []
    for task, (cases, found) in results.items():
        shown = cases[:MOST_SHOWN]
        lines += [(f"{task}: {what}", [getattr(c, what) for c in shown]) for what in ("before", "truth")]
        for name, kept in found.items():
            right = sum(each.measures.success for each in kept)
            label = f"{task}: {name}, {right} of {len(kept)} right"
            lines.append((label, [each.picture for each in kept[:MOST_SHOWN]]))
    columns = [f"scene {k + 1}" for k in range(max(len(photos) for _, photos in lines))]
    contact_sheet(columns, lines, path)


@click.command()
@click.option("--scenes", default=8, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(tuple(TASKS)), help="Run only these tasks.")
@click.option("--only", multiple=True, help="Run only these systems.")
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), help="Keep all pictures, and go on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet with a row for each system.")
def main(
    scenes: int,
    first_seed: int,
    model_name: str,
    tasks: tuple[str, ...],
    only: tuple[str, ...],
    results: Path | None,
    workers: int,
    json_path: Path | None,
    sheet: Path | None,
) -> None:
    """Compare the systems."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, found = results or Path(temporary), {}
        for task in tasks or TASKS:
            cases = TASKS[task].cases(first_seed, scenes)
            contest = MethodContest(model_name, task, only, folder, 1 if workers > 1 else None)
            found[task] = (cases, run(cases, contest, workers))
        tables = {task: {name: summary(kept) for name, kept in each.items()} for task, (_, each) in found.items()}
        for task, rows in tables.items():
            Console(width=180).print(as_table(task, rows))
        if json_path is not None:
            json_path.write_text(as_json(tables, scenes))
        if sheet is not None:
            write_sheet(found, sheet)


if __name__ == "__main__":
    main()
