"""What does each part of an edit earn? The relocation benchmark with one ingredient left out at a time.

    python -m tests.benchmarks.ablation [--scenes N] [--first-seed S] [--only NAME] [--results DIR] [--json FILE]

All variants edit the same cases. What a case gave is kept in DIR as soon as it is measured, as lines of JSON, and not
measured again by the next run there, which should be of the same code and model.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks import rows
from tests.benchmarks.cases import Case, cases
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import Verdict, judge
from tests.benchmarks.relocation import as_json, as_table, run, summary
from tests.benchmarks.rows import measured
from tests.benchmarks.statistics import Estimate, paired_difference
from tests.benchmarks.variants import VARIANTS, replacing

WHOLE = "everything"
COMPARED = {"psnr_region": 2, "perceptual_region": 4, "ghost": 3, "position_error": 4, "success": 3}  # digits
NONE_SHOWN = "no difference shown"
COLUMNS = 6  # of a table


@dataclass(frozen=True)
class Measured:
    """What one variant gave in one case, and what the edit cost."""

    case: str
    kind: str
    variant: str
    forward_equivalents: float
    seconds: float
    verdict: Verdict

    def as_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "Measured":
        fields = json.loads(line)
        return cls(**{**fields, "verdict": Verdict(**fields["verdict"])})


@dataclass(frozen=True)
class Ablation:
    """The named variants in one case. They share inversions, which the first of them pays for."""

    model: str
    names: tuple[str, ...] = tuple(VARIANTS)
    results: Path | None = None
    threads: int | None = None

    def __call__(self, case: Case) -> dict[str, Measured]:
        kept = self.results / f"{case.name}.jsonl" if self.results is not None else None
        found = {}
        if kept is not None and kept.exists():
            found = {each.variant: each for each in map(Measured.from_line, kept.read_text().splitlines())}
        with fresh_cache():
            for name in self.names:
                if name not in found:
                    found[name] = self._measure(name, case)
                    if kept is not None:
                        with kept.open("a") as lines:
                            lines.write(found[name].as_line())
        return {name: found[name] for name in self.names}

    def _measure(self, name: str, case: Case) -> Measured:
        model, perceptual = _loaded(self)
        variant = VARIANTS[name]
        row = rows.realedit(model, perceptual, variant.settings)
        with replacing(variant.replaced):
            outcome = measured(row, case, model)
        verdict = judge(case, outcome.picture, outcome.touched, perceptual)
        return Measured(case.name, case.kind, name, outcome.forward_equivalents, outcome.seconds, verdict)


@functools.cache
def _loaded(ablation: Ablation) -> tuple[DiffusionModel, PerceptualMetric]:
    if ablation.threads:
        torch.set_num_threads(ablation.threads)
    model = load_model(ablation.model, device="cpu")
    return model, perceptual_metric(model)


def chosen(only: Sequence[str]) -> tuple[str, ...]:
    """The names of the variants to run; "everything" always is one."""
    return tuple(name for name in VARIANTS if not only or name == WHOLE or name in only)


def differences(found: dict[str, list[Measured]]) -> dict[str, dict[str, Estimate]]:
    """How far each variant is from "everything" in the same cases, in the mean."""

    def values(name: str, measure: str) -> list[float]:
        return [float(getattr(each.verdict, measure)) for each in found[name]]

    return {
        name: {m: paired_difference(values(name, m), values(WHOLE, m)) for m in COMPARED}
        for name in found
        if name != WHOLE
    }


def as_difference_table(compared: dict[str, dict[str, Estimate]], edits: int) -> Table:
    """One line for each variant, one column for each measure."""

    def text(estimate: Estimate, digits: int) -> str:
        return estimate.text(digits) if estimate.shows_difference else f"{estimate.text(digits)}\n{NONE_SHOWN}"

    drawn = Table(f'minus "{WHOLE}", mean of {edits} edits', *COMPARED)
    for name, measures in compared.items():
        drawn.add_row(name, *(text(measures[measure], digits) for measure, digits in COMPARED.items()))
    return drawn


def show(table: dict[str, dict[str, Estimate]], compared: dict[str, dict[str, Estimate]], edits: int) -> None:
    """Print the variants by themselves and against everything."""
    console, names = Console(width=180), list(table)
    for start in range(0, len(names), COLUMNS):
        console.print(as_table({name: table[name] for name in names[start : start + COLUMNS]}))
    if compared:
        console.print(as_difference_table(compared, edits))


def with_differences(written: str, compared: dict[str, dict[str, Estimate]]) -> str:
    """The JSON of a run with its differences, each as the mean and both ends of its interval."""
    differences = {
        name: {measure: [each.value, each.low, each.high] for measure, each in measures.items()}
        for name, measures in compared.items()
    }
    return json.dumps({**json.loads(written), "differences": differences}, indent=2)


@click.command()
@click.option("--scenes", default=8, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--only", multiple=True, type=click.Choice(tuple(VARIANTS)), help='Run "everything" and these variants.')
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), help="Keep what is measured, and go on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(
    scenes: int,
    first_seed: int,
    model_name: str,
    only: tuple[str, ...],
    results: Path | None,
    workers: int,
    json_path: Path | None,
) -> None:
    """Leave out one ingredient at a time."""
    if results is not None:
        results.mkdir(parents=True, exist_ok=True)
    ablation = Ablation(model_name, chosen(only), results, threads=1 if workers > 1 else None)
    found = run(cases(first_seed, scenes), ablation, workers)
    table = {name: summary([(m, m, m.verdict) for m in these]) for name, these in found.items()}
    compared = differences(found)
    show(table, compared, 2 * scenes)
    if json_path is not None:
        json_path.write_text(with_differences(as_json(table, scenes), compared))


if __name__ == "__main__":
    main()
