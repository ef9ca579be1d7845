"""Do one model's settings serve other resolutions and numbers of steps?

    python -m tests.benchmarks.transfer [--scenes N] [--first-seed S] [--workers N] [--json FILE]

The same moves with the same defaults, at the bundled model's own size and at half as much again, in 20, 50 and
100 steps. The model is told its size by its configuration, as any model is.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from inversion.weights import bundled_samples
from realedit.settings import DEFAULTS
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks.cases import cases
from tests.benchmarks.relocation import Contest, run, summary

SCALES = (1.0, 1.5)
STEPS = (20, 50, 100)
OWN_SIZE = 128
COLUMNS = ("move_success", "position_error_median", "ghost_median", "psnr_region_median", "forward_equivalents")


@contextmanager
def sized(scale: float) -> Iterator[Path]:
    """The bundled model under a configuration that names another size."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / f"tabletop-{scale:g}"
        shutil.copytree(bundled_samples() / "tabletop", copy)
        path = copy / "unet" / "config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {"sample_size": round(config["sample_size"] * scale)}))
        yield copy


@click.command()
@click.option("--scenes", default=12, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(scenes: int, first_seed: int, workers: int, json_path: Path | None) -> None:
    """Make the same moves at other sizes and in other numbers of steps."""
    table, written = Table("native size, px", "steps", *COLUMNS), []
    for scale in SCALES:
        moves = [case for case in cases(first_seed, scenes, scale) if case.kind == "move"]
        with sized(scale) as folder:
            for steps in STEPS:
                threads = 1 if workers > 1 else None
                contest = Contest(str(folder), ("realedit",), threads, replace(DEFAULTS, steps=steps))
                found = summary(run(moves, contest, workers)["realedit"])
                side = round(OWN_SIZE * scale)
                table.add_row(str(side), str(steps), *(f"{found[name].value:.3f}" for name in COLUMNS))
                numbers = {name: found[name].value for name in COLUMNS}
                written.append({"native_size": side, "steps": steps, "moves": len(moves)} | numbers)
    Console(width=140).print(table)
    if json_path is not None:
        json_path.write_text(json.dumps(written, indent=2))


if __name__ == "__main__":
    main()
