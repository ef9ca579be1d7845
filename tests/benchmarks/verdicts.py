"""Results that were scored by eye, and what the program says of them.

    python -m tests.benchmarks.verdicts DIR [--json FILE]

DIR holds `scores.json`, a list of results, and the pictures that it names:

    {"name": "...", "score": "right" | "usable" | "wrong", "group": "...",
     "before": PNG, "after": PNG, "vacated": PNG or null,
     "objects": [{"phrase": "...", "mask": PNG, "photo": PNG or null, "restyled": true | false,
                  "copies": [{"pixels": PNG, "opacity": PNG}, ...]}, ...]}

`group` is any name by which results are counted apart as well. What the rest is, is said of
`realedit.evaluation.judge.JudgedEdit`.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from realedit.evaluation.judge import JudgedEdit, JudgedObject, judge
from realedit.evaluation.verdict import Level, Verdict

SCORES = ("right", "usable", "wrong")


@dataclass(frozen=True)
class Judged:
    """A result with its score by eye and the program's verdict, and how long that took."""

    name: str
    group: str
    score: str
    verdict: Verdict
    seconds: float


def read_picture(path: Path, mode: str) -> Tensor:
    """A picture (1, 3, H, W), or a mask (1, 1, H, W)."""
    with Image.open(path) as image:
        pixels = torch.from_numpy(np.array(image.convert(mode))).float() / 255
    return pixels[None, None] if mode == "L" else pixels.permute(2, 0, 1)[None]


def read_object(folder: Path, entry: dict[str, Any]) -> JudgedObject:
    return JudgedObject(
        entry["phrase"],
        read_picture(folder / entry["mask"], "L"),
        [
            (read_picture(folder / c["pixels"], "RGB"), read_picture(folder / c["opacity"], "L"))
            for c in entry["copies"]
        ],
        entry["restyled"],
        read_picture(folder / entry["photo"], "RGB") if entry["photo"] else None,
    )


def read_edit(folder: Path, entry: dict[str, Any]) -> JudgedEdit:
    before, after = (read_picture(folder / entry[key], "RGB") for key in ("before", "after"))
    vacated = read_picture(folder / entry["vacated"], "L") if entry["vacated"] else 0 * before[:, :1]
    return JudgedEdit(before, after, vacated, [read_object(folder, each) for each in entry["objects"]])


def judged(folder: Path, entry: dict[str, Any]) -> Judged:
    edit = read_edit(folder, entry)
    began = time.perf_counter()
    verdict = judge(edit)
    return Judged(entry["name"], entry["group"], entry["score"], verdict, time.perf_counter() - began)


def confusion(results: list[Judged]) -> dict[str, dict[str, int]]:
    """How many results of each score got each verdict."""
    counted = Counter((each.score, each.verdict.level) for each in results)
    return {score: {level.value: counted[score, level] for level in Level} for score in SCORES}


def show(results: list[Judged], title: str) -> None:
    table = Table(title, *(level.value for level in Level))
    for score, row in confusion(results).items():
        table.add_row(score, *(str(count) for count in row.values()))
    Console(width=120).print(table)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(folder: Path, json_path: Path | None) -> None:
    """Judge the results in FOLDER."""
    results = [judged(folder, entry) for entry in json.loads((folder / "scores.json").read_text())]
    for each in results:
        click.echo(f"{each.score:6s}  {each.name:24s} {each.verdict.to_text()}")
    for group in sorted({each.group for each in results}):
        show([each for each in results if each.group == group], group)
    show(results, "all")
    click.echo(f"slowest {max(each.seconds for each in results):.2f} s")
    if json_path is not None:
        found = [
            {"name": e.name, "group": e.group, "score": e.score, "level": e.verdict.level.value}
            | {"reasons": e.verdict.reasons, "measures": e.verdict.measures, "seconds": e.seconds}
            for e in results
        ]
        json_path.write_text(json.dumps({"confusion": confusion(results), "results": found}, indent=2))


if __name__ == "__main__":
    main()
