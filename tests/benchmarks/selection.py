"""What is marked on photos whose objects have known masks, and how much of it is selected.

    python -m tests.benchmarks.selection DIR [--json FILE]

DIR holds `NAME.jpg` and `NAME-mask.png`, the mask of an object, as for `holes`. The marks are made of the mask as a
user would, roughly or well: its box and worse ones, points in it, scribbles over it and around it.
"""

import json
import time
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from inversion.errors import EditError
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.transform import Box, Point
from realedit.morphology import distance_inside
from realedit.objects.mark import Mark
from realedit.objects.selection import select
from realedit.objects.user_masks import load_mask
from tests.benchmarks.holes import mask_of

LOOSER, TIGHTER = 0.1, -0.05  # of a box's sides: by how much it is too large, or too small, on every side
POINTS = 3  # anywhere in the object
NOT_AT_THE_EDGE = 0.3  # of the greatest depth: nearer to the edge no user sets a point
CORE, BRIM = 0.4, 0.08  # how deep a scribble over it starts, of the greatest depth; how far one goes on, of the extent
ENOUGH = 0.7  # the overlap from which the object is selected


def marks(mask: np.ndarray) -> dict[str, list[Mark]]:
    """What users may mark if they mean a mask (H, W)."""
    depth = np.asarray(distance_inside(np.pad(mask, 1))[1:-1, 1:-1])
    box = mask_box(_tensor(mask))
    extent = max((box[2] - box[0]) * mask.shape[1], (box[3] - box[1]) * mask.shape[0])
    brim = np.asarray(distance_inside(~mask) <= BRIM * extent)
    deepest = np.unravel_index(int(depth.argmax()), depth.shape)
    places = np.argwhere(depth > NOT_AT_THE_EDGE * depth.max())
    anywhere = places[np.random.default_rng(0).choice(len(places), POINTS)]
    points = [_point(place, mask.shape) for place in anywhere]
    return {
        "its box": [Mark(box=box)],
        "a larger box": [Mark(box=_by(box, LOOSER))],
        "a smaller box": [Mark(box=_by(box, TIGHTER))],
        "its deepest point": [Mark(points=(_point(np.array(deepest), mask.shape),))],
        "any point": [Mark(points=(point,)) for point in points],
        "two points": [Mark(points=tuple(points[:2]))],
        "a scribble over it": [Mark(around=_tensor(depth > CORE * depth.max()))],
        "a scribble around it": [Mark(around=_tensor(brim))],
    }


def overlap(photo: Photo, mark: Mark, mask: np.ndarray) -> float:
    """The IoU of what a mark selects with a mask (H, W); 0 where it is refused."""
    try:
        found = select(photo, mark)[0, 0].numpy() > 0.5
    except EditError:
        return 0.0
    return float((found & mask).sum() / (found | mask).sum())


def _by(box: Box, share: float) -> Box:
    across, down = share * (box[2] - box[0]), share * (box[3] - box[1])
    left, top, right, bottom = box[0] - across, box[1] - down, box[2] + across, box[3] + down
    return max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom)


def _point(place: np.ndarray, shape: tuple[int, ...]) -> Point:
    return float((place[1] + 0.5) / shape[1]), float((place[0] + 0.5) / shape[0])


def _tensor(region: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(region).float()[None, None]


def summary(overlaps: list[float]) -> dict[str, float]:
    """The numbers of a row, by the names of the JSON."""
    selected = float(np.mean([each >= ENOUGH for each in overlaps]))
    return {"iou_median": float(np.median(overlaps)), "iou_mean": float(np.mean(overlaps)), "selected": selected}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(folder: Path, json_path: Path | None) -> None:
    """Mark the objects in the photos of FOLDER."""
    paths = [path for path in sorted(folder.glob("*.jpg")) if mask_of(path).is_file()]
    if not paths:
        raise click.BadParameter(f"{folder} has no NAME.jpg with a NAME-mask.png")
    rows: dict[str, list[float]] = {}
    seconds = []
    for path in paths:
        photo = load_photo(path)
        mask = load_mask(mask_of(path), photo)[0, 0].numpy() > 0.5
        for name, ways in marks(mask).items():
            for mark in ways:
                began = time.perf_counter()
                rows.setdefault(name, []).append(overlap(photo, mark, mask))
                seconds.append(time.perf_counter() - began)
    table = Table(f"{len(paths)} photos, {np.median(seconds):.1f} s each", "IoU: median", "mean", f"above {ENOUGH}")
    numbers = {name: summary(overlaps) for name, overlaps in rows.items()}
    for name, row in numbers.items():
        table.add_row(name, f"{row['iou_median']:.3f}", f"{row['iou_mean']:.3f}", f"{row['selected']:.0%}")
    Console(width=120).print(table)
    if json_path is not None:
        json_path.write_text(json.dumps({"photos": len(paths), "rows": numbers}, indent=2))


if __name__ == "__main__":
    main()
