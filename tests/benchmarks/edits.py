"""How often are new looks, swaps and removals right?

    python -m tests.benchmarks.edits [--scenes N] [--first-seed S] [--workers N] [--json FILE] [--sheet PICTURE]

Every scene is recoloured, restyled (pattern or material), two of its objects swapped and one removed. See
`edit_judge.py` for what is measured. Beside realedit: doing nothing; the caption of the result on the noise
of the photo's inversion; the same caption after renoising (SDEdit) at three strengths; and for removals
classical inpainting, which is given the true mask.
"""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from inversion import ddim
from inversion.errors import EditError, RecognitionError
from inversion.loading import load_model
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem
from inversion.schedule import ddim_step
from realedit.editing.pipeline import edit
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.settings import DEFAULTS, Settings
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks.edit_cases import EditCase, edit_cases
from tests.benchmarks.edit_judge import EditVerdict, judge_edit
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.relocation import run
from tests.benchmarks.rows import INPAINT_RADIUS, MASK_GROWTH, Outcome, measured
from tests.benchmarks.sheet import contact_sheet
from tests.benchmarks.statistics import Estimate, median, share

STRENGTHS = (0.4, 0.6, 0.8)  # of renoising, fractions of the schedule
PLAIN_GUIDANCE = 5.0  # of rows that follow a caption without self-guidance
SHEET_EVERY = 4  # scenes
Row = Callable[[EditCase], tuple[Tensor, Tensor | None]]
Result = tuple[EditCase, Outcome, EditVerdict]


def do_nothing(case: EditCase) -> tuple[Tensor, Tensor | None]:
    return case.before, None


def new_prompt(model: DiffusionModel, settings: Settings) -> Row:
    """The result's caption on the noise in which the photo lies."""

    def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
        schedule = model.schedule(settings.steps)
        problem = InversionProblem(model, model.encode(case.before), case.prompt, schedule, PLAIN_GUIDANCE)
        found = ddim.invert(problem)
        rows = Conditioning(model.embed(case.wanted), found.unconditional, PLAIN_GUIDANCE)
        return model.decode(sample(model, found.pivots[:1], schedule, rows)), None

    return row


def renoised(model: DiffusionModel, settings: Settings, strength: float) -> Row:
    """SDEdit (arXiv 2108.01073): the photo under fresh noise of one level, sampled with the result's caption."""

    def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
        schedule, latent = model.schedule(settings.steps), model.encode(case.before)
        first = round((1 - strength) * len(schedule))
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(settings.seed))
        start = ddim_step(latent, noise, schedule.alpha_from[first])
        empty = model.unprompted().repeat(len(schedule))
        rows = Conditioning(model.embed(case.wanted), empty, PLAIN_GUIDANCE)
        return model.decode(sample(model, start, schedule, rows, walk=schedule.walk(first))), None

    return row


def inpainted(case: EditCase) -> tuple[Tensor, Tensor | None]:
    """Classical inpainting (Telea 2004) of the true mask; for removals alone."""
    if case.kind != "remove":
        return case.before, None
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MASK_GROWTH + 1,) * 2)
    hole = cv2.dilate((case.sources[0][0, 0].numpy() > 0.5).astype(np.uint8), kernel)
    photo = np.ascontiguousarray(to_bytes(case.before))
    filled = cv2.inpaint(photo, hole, INPAINT_RADIUS, cv2.INPAINT_TELEA)
    return torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 255, None


def realedit(model: DiffusionModel, perceptual: PerceptualMetric, settings: Settings) -> Row:
    """The program as a user runs it; an edit that is refused counts as the photo unchanged."""

    def row(case: EditCase) -> tuple[Tensor, Tensor | None]:
        try:
            edited = edit(
                model, Photo(to_bytes(case.before)), case.prompt, case.edit, settings=settings, perceptual=perceptual
            )
        except (EditError, RecognitionError):
            return case.before, None
        return edited.photo.tensor(), edited.editable

    return row


@dataclass(frozen=True)
class Contest:
    """Who edits, with which model; a value that every worker process can make its contestants of."""

    model: str
    only: tuple[str, ...] = ()
    threads: int | None = None
    settings: Settings = DEFAULTS

    def __call__(self, case: EditCase) -> dict[str, Result]:
        model, perceptual, rows = _loaded(self)
        results = {}
        for name, row in rows.items():
            with fresh_cache():
                outcome = measured(row, case, model)
            results[name] = (case, outcome, judge_edit(case, outcome.picture, outcome.touched, perceptual))
        return results


@functools.cache
def _loaded(contest: Contest) -> tuple[DiffusionModel, PerceptualMetric, dict[str, Row]]:
    if contest.threads:
        torch.set_num_threads(contest.threads)
    model, settings = load_model(contest.model, device="cpu"), contest.settings
    perceptual = perceptual_metric(model)
    rows: dict[str, Row] = {"do-nothing": do_nothing, "new-prompt": new_prompt(model, settings)}
    rows |= {f"renoise-{s:g}": renoised(model, settings, s) for s in STRENGTHS}
    rows |= {"inpaint": inpainted, "realedit": realedit(model, perceptual, settings)}
    return model, perceptual, {k: v for k, v in rows.items() if not contest.only or k in contest.only}


def summary(results: Sequence[Result]) -> dict[str, Estimate]:
    """The columns of one row, for one kind of edit."""
    verdicts = [v for _, _, v in results]
    columns = {
        "success": share([v.success for v in verdicts]),
        "psnr_region_median": median([v.psnr_region for v in verdicts]),
        "perceptual_region_median": median([v.perceptual_region for v in verdicts]),
        "identical_rest": share([v.identical for v in verdicts]),
        "forward_equivalents": median([o.forward_equivalents for _, o, _ in results]),
        "seconds": median([o.seconds for _, o, _ in results]),
    }
    looks = [v.right_look for v in verdicts if v.right_look is not None]
    if looks:
        columns["right_look"] = share(looks)
        columns["overlap_median"] = median([v.overlap for v in verdicts])
    return columns


def tables(results: dict[str, list[Result]]) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Kind of edit -> contestant -> column."""
    kinds = dict.fromkeys(case.kind for case, _, _ in next(iter(results.values())))
    return {
        kind: {
            name: summary([r for r in found if r[0].kind == kind])
            for name, found in results.items()
            if kind == "remove" or name != "inpaint"
        }
        for kind in kinds
    }


def as_json(found: dict[str, dict[str, dict[str, Estimate]]], scenes: int) -> str:
    def plain(value: float) -> float | None:
        return value if value == value and abs(value) != float("inf") else None

    written = {
        kind: {name: {k: plain(e.value) for k, e in columns.items()} for name, columns in rows.items()}
        for kind, rows in found.items()
    }
    return json.dumps({"scenes": scenes, "edits": written}, indent=2)


@click.command()
@click.option("--scenes", default=16, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--only", multiple=True, help="Run only these contestants.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet of every fourth scene.")
def main(
    scenes: int,
    first_seed: int,
    model_name: str,
    only: tuple[str, ...],
    workers: int,
    json_path: Path | None,
    sheet: Path | None,
) -> None:
    """Run the benchmark of looks, swaps and removals."""
    contest = Contest(model_name, only, 1 if workers > 1 else None)
    results: dict[str, list[Result]] = run(edit_cases(first_seed, scenes), contest, workers)
    found = tables(results)
    for kind, rows in found.items():
        table = Table(kind, *rows)
        for column in next(iter(rows.values())):
            table.add_row(column, *(columns[column].text(3) for columns in rows.values()))
        Console(width=30 + 26 * len(rows)).print(table)
    for case, _, verdict in results.get("realedit", []):
        if not verdict.success:
            print(f"missed: {case.name} ({case.edit}): {verdict}")
    if json_path is not None:
        json_path.write_text(as_json(found, scenes))
    if sheet is not None:
        first = next(iter(results.values()))
        some = [i for i in range(len(first)) if i // 4 % SHEET_EVERY == 0]
        cases = [first[i][0] for i in some]
        lines = [
            (case.name, [case.before, case.truth, *(each[i][1].picture for each in results.values())])
            for i, case in zip(some, cases, strict=True)
        ]
        contact_sheet(["before", "truth", *results], lines, sheet)


if __name__ == "__main__":
    main()
