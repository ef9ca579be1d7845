"""How often is an edit right? Held-out scenes whose edit is rendered too, so the answer is known.

    python -m tests.benchmarks.relocation [--scenes N] [--first-seed S] [--json FILE] [--sheet PICTURE]

One object of every scene is moved by at least 15 % of the frame, and one is resized by 0.6 to 1.6. All
contestants edit the same photos with the same model in one run. See `judge.py` for what is measured.
"""

import functools
import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.settings import DEFAULTS, Mode, Settings
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks import rows
from tests.benchmarks.cases import Case, cases
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import Verdict, judge
from tests.benchmarks.rows import Outcome, Row, measured
from tests.benchmarks.sheet import contact_sheet
from tests.benchmarks.statistics import Estimate, median, share

SHEET_EVERY = 10  # scenes


def contestants(model: DiffusionModel, perceptual: PerceptualMetric, settings: Settings) -> dict[str, Row]:
    return {
        "do-nothing": rows.do_nothing,
        "cut-paste-inpaint": rows.cut_paste_inpaint,
        "textbook": rows.textbook(model, settings),
        "centroid-only": rows.centroid_only(model, settings),
        "self-guidance": rows.realedit(model, perceptual, replace(settings, mode=Mode.REGENERATE)),
        "realedit": rows.realedit(model, perceptual, settings),
    }


Result = tuple[Case, Outcome, Verdict]
C, R = TypeVar("C"), TypeVar("R")


@dataclass(frozen=True)
class Contest:
    """Who edits, with which model; a value that every worker process can make its contestants of."""

    model: str
    only: tuple[str, ...] = ()
    threads: int | None = None
    settings: Settings = DEFAULTS

    def __call__(self, case: Case) -> dict[str, Result]:
        """Every contestant's picture of a case, with its verdict. Each pays for its own inversion."""
        model, perceptual, rows = _loaded(self)
        results = {}
        for name, row in rows.items():
            with fresh_cache():
                outcome = measured(row, case, model)
            results[name] = (case, outcome, judge(case, outcome.picture, outcome.touched, perceptual))
        return results


@functools.cache
def _loaded(contest: Contest) -> tuple[DiffusionModel, PerceptualMetric, dict[str, Row]]:
    if contest.threads:
        torch.set_num_threads(contest.threads)
    model = load_model(contest.model, device="cpu")
    perceptual = perceptual_metric(model)
    every = contestants(model, perceptual, contest.settings)
    return model, perceptual, {k: v for k, v in every.items() if not contest.only or k in contest.only}


def run(found: Sequence[C], contest: Callable[[C], dict[str, R]], workers: int) -> dict[str, list[R]]:
    """Hold the contest on all cases, in several processes of one thread each if `workers` is above 1."""
    console = Console(stderr=True)
    if workers == 1:
        each = [contest(case) for case in track(found, description="editing", console=console)]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context) as pool:
            each = list(track(pool.map(contest, found), "editing", total=len(found), console=console))
    return {name: [results[name] for results in each] for name in each[0]}


class Kinded(Protocol):
    @property
    def kind(self) -> str: ...


class Priced(Protocol):
    @property
    def forward_equivalents(self) -> float: ...

    @property
    def seconds(self) -> float: ...


def summary(results: Sequence[tuple[Kinded, Priced, Verdict]]) -> dict[str, Estimate]:
    """The columns of one row of the table."""
    verdicts = [v for _, _, v in results]

    def middle(of: Callable[[Verdict], float]) -> Estimate:
        return median([of(v) for v in verdicts])

    return {
        "move_success": share([v.success for c, _, v in results if c.kind == "move"]),
        "resize_success": share([v.success for c, _, v in results if c.kind == "resize"]),
        "position_error_median": middle(lambda v: v.position_error),
        "ghost_median": middle(lambda v: v.ghost),
        "psnr_region_median": middle(lambda v: v.psnr_region),
        "ssim_region_median": middle(lambda v: v.ssim_region),
        "perceptual_region_median": middle(lambda v: v.perceptual_region),
        "psnr_rest_median": middle(lambda v: v.psnr_rest),
        "identical_rest": share([v.identical for v in verdicts]),
        "forward_equivalents": median([o.forward_equivalents for _, o, _ in results]),
        "seconds": median([o.seconds for _, o, _ in results]),
    }


DIGITS = {"position_error_median": 4, "perceptual_region_median": 4, "forward_equivalents": 0}


def as_json(table: dict[str, dict[str, Estimate]], scenes: int) -> str:
    """Infinite and unknown numbers, which JSON does not have, become null."""

    def finite(value: float) -> float | None:
        return value if value == value and abs(value) != float("inf") else None

    written: dict[str, Any] = {"scenes": scenes, "rows": {}, "intervals": {}}
    for name, columns in table.items():
        written["rows"][name] = {k: finite(e.value) for k, e in columns.items()}
        written["intervals"][name] = {k: [finite(e.low), finite(e.high)] for k, e in columns.items()}
    return json.dumps(written, indent=2)


def as_table(table: dict[str, dict[str, Estimate]]) -> Table:
    """One line for each measure, one column for each contestant."""
    drawn = Table("", *table)
    for measure in next(iter(table.values())):
        digits = DIGITS.get(measure, 2)
        drawn.add_row(measure, *(columns[measure].text(digits) for columns in table.values()))
    return drawn


def write_sheet(results: dict[str, list[Result]], path: Path) -> None:
    """Both edits of every tenth scene: before, truth, and each contestant."""
    some = [i for i in range(len(next(iter(results.values())))) if i // 2 % SHEET_EVERY == 0]
    lines = []
    for i in some:
        case = next(iter(results.values()))[i][0]
        lines.append((case.name, [case.before, case.truth, *(r[i][1].picture for r in results.values())]))
    contact_sheet(["before", "truth", *results], lines, path)


@click.command()
@click.option("--scenes", default=64, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--only", multiple=True, help="Run only these contestants.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet of every tenth scene.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
def main(
    scenes: int,
    first_seed: int,
    model_name: str,
    only: tuple[str, ...],
    json_path: Path | None,
    sheet: Path | None,
    workers: int,
) -> None:
    """Run the relocation benchmark."""
    contest = Contest(model_name, only, threads=1 if workers > 1 else None)
    results = run(cases(first_seed, scenes), contest, workers)
    table = {name: summary(found) for name, found in results.items()}
    Console(width=40 + 28 * len(table)).print(as_table(table))
    for case, _, verdict in results.get("realedit", []):
        if not verdict.success:
            print(f"missed: {case.name} ({case.prompt}): {verdict}")
    if json_path is not None:
        json_path.write_text(as_json(table, scenes))
    if sheet is not None:
        write_sheet(results, sheet)


if __name__ == "__main__":
    main()
