"""Large photos: time, peak memory, and how much of what the edit did not touch stays as it was.

python -m tests.benchmarks.files [--json FILE]
"""

import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from inversion.loading import load_model
from realedit.editing.pipeline import edit
from realedit.edits import Move
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.reading import load_photo
from realedit.files.writing import save_photo
from realedit.images import to_bytes
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from tests.benchmarks.fresh import fresh_cache

SCENE = FIRST_HELD_OUT_SEED + 110, 640, 480  # as in a bundled sample: its seed, width and height
SIZES = {"0.3 MP": (640, 480), "12 MP": (4000, 3000), "50 MP": (8160, 6120)}
KINDS = {"png": {"compress_level": 1}, "jpg": {"quality": 92}}
SHIFTS = {"near": (0.06, 0.0), "far": (-0.3, 0.05)}
GRAIN = 3  # levels: what a sensor adds

Numbers = dict[str, float]


def write_photo(path: Path, size: tuple[int, int], **options: int) -> None:
    """A rendered scene with grain, at any size."""
    seed, width, height = SCENE
    small = Image.fromarray(to_bytes(render([sample_scene(seed, width, height)], width, height).photos))
    large = np.asarray(small.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = np.random.default_rng(0).integers(-GRAIN, GRAIN + 1, large.shape, dtype=np.int16)
    Image.fromarray((large + grain).clip(0, 255).astype(np.uint8)).save(path, **options)  # type: ignore[arg-type]


def measure(path: Path, shift: tuple[float, float]) -> Numbers:
    """One move as the command line makes it, in a process that does nothing else."""
    scene = sample_scene(*SCENE)
    model = load_model(device="cpu")
    perceptual = perceptual_metric(model)
    began = time.perf_counter()
    photo = load_photo(path)
    move = Move(scene.things[0].phrase, by=shift)
    with fresh_cache():
        edited = edit(model, photo, scene.caption, move, perceptual=perceptual)
    result = path.with_name(f"moved{path.suffix}")
    save_photo(edited.photo, result)
    seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outside = edited.editable[0, 0].numpy() < 0.5
    difference = np.abs(load_photo(result).rgb.astype(np.int16) - photo.rgb).max(-1)[outside]
    return {
        "touched": 1 - float(outside.mean()),
        "identical_outside": float((difference == 0).mean()),
        "difference_mean": float(difference.mean()),
        "difference_max": float(difference.max()),
        "seconds": seconds,
        "peak_memory_mb": peak / 1024,
    }


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(json_path: Path | None) -> None:
    """Move an object a little and a long way in photos of several sizes and formats."""
    rows: dict[str, Numbers] = {}
    table = Table("photo", "touched", "identical outside", "difference mean", "max", "seconds", "peak MB")
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            for kind, options in KINDS.items():
                path = Path(folder) / f"photo.{kind}"
                write_photo(path, size, **options)
                for how, shift in SHIFTS.items():
                    with spawn.Pool(1) as pool:
                        row = pool.apply(measure, (path, shift))
                    rows[f"{name} {kind}, {how}"] = row
                    cells = [f"{row['touched']:.1%}", f"{row['identical_outside']:.3%}"]
                    cells += [f"{row['difference_mean']:.4f}", f"{row['difference_max']:.0f}"]
                    table.add_row(
                        f"{name} {kind}, {how}", *cells, f"{row['seconds']:.1f}", f"{row['peak_memory_mb']:.0f}"
                    )
    Console(width=120).print(table)
    if json_path is not None:
        json_path.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
