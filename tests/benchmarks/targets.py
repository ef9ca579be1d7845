"""Does one default serve small and large objects, short and long ways?

    python -m tests.benchmarks.targets [--first-seed S] [--workers N] [--json FILE] [--sheet PICTURE]

One move for every combination of size (2 to 30 % of the frame) and shift (5 to 60 %) that fits a frame.
"""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks.cases import ranged_cases
from tests.benchmarks.relocation import Contest, run
from tests.benchmarks.sheet import contact_sheet

SIZES = ((0.02, 0.05), (0.05, 0.10), (0.10, 0.18), (0.18, 0.24), (0.24, 0.30))
SHIFTS = ((0.05, 0.15), (0.15, 0.30), (0.30, 0.45), (0.45, 0.60))


@click.command()
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", default="tabletop", show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet.")
def main(first_seed: int, model: str, workers: int, json_path: Path | None, sheet: Path | None) -> None:
    """Move objects of all sizes over all distances with the default settings."""
    contest = Contest(model, ("realedit",), threads=1 if workers > 1 else None)
    results = run(ranged_cases(first_seed, SIZES, SHIFTS), contest, workers)["realedit"]
    table = Table("edit", "size", "shift", "success", "position error", "area error", "ghost", "PSNR region")
    lines, written = [], []
    for case, outcome, verdict in results:
        size = float(case.source.mean())
        numbers = (verdict.position_error, verdict.area_error, verdict.ghost, verdict.psnr_region)
        table.add_row(
            case.name, f"{size:.3f}", f"{case.shift:.3f}", str(verdict.success), *(f"{n:.3f}" for n in numbers)
        )
        lines.append((case.name, [case.before, case.truth, outcome.picture]))
        written.append({"size": size, "shift": case.shift, "success": verdict.success, "ghost": verdict.ghost})
    Console(width=130).print(table)
    print(f"{sum(v.success for _, _, v in results)} of {len(results)} succeeded")
    if json_path is not None:
        json_path.write_text(json.dumps(written, indent=2))
    if sheet is not None:
        contact_sheet(["before", "truth", "realedit"], lines, sheet)


if __name__ == "__main__":
    main()
