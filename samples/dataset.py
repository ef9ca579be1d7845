"""Rendered training scenes on disk, in shards that are written once and read by both trainings.

    python -m samples.dataset DIR --scenes 8400 --workers 2
    python -m samples.dataset DIR --scenes 12000 --first-shard 200 --device cuda --workers 8

Shard `i` holds scenes of consecutive seeds, all of one frame size; the sizes alternate so that the
model sees wide and tall photos too. From shard 100 on rare looks are twice as common, and from shard 200 on scenes are
seen from nearer, too. A shard that exists is kept, so a broken run goes on where it stopped.
"""

import multiprocessing
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor

from samples.closeups import closer
from samples.looks import COMMON, EVEN
from samples.renderer import CHUNK, render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene

SHARD = 200  # scenes
SIZES = ((128, 128), (128, 128), (160, 96), (128, 128), (96, 160))  # (width, height)
EMPTY_EVERY = 7
EVEN_FROM = 100  # the first shard in which rare looks are twice as common
CLOSER_FROM = 200  # the first shard whose scenes are seen from nearer
GPU_CHUNK = 100  # scenes that a GPU traces together
MASK_CELL = 4  # masks are kept as the covered share of cells of this many pixels


@dataclass(frozen=True, eq=False)
class Shard:
    """Number `index`: `photos` (n, 3, H, W) and `masks` (n, K, H / 4, W / 4), both uint8, 0 to 255."""

    index: int
    photos: Tensor
    masks: Tensor


def shard_scenes(index: int) -> list[Scene]:
    """The scenes of a shard; every seventh shard shows empty tables, so that the model can also draw
    what an object leaves behind."""
    width, height = SIZES[index % len(SIZES)]
    looks = EVEN if index >= EVEN_FROM else COMMON
    scenes = [sample_scene(index * SHARD + j, width, height, looks) for j in range(SHARD)]
    if index % EMPTY_EVERY == EMPTY_EVERY - 1:
        scenes = [scene.emptied() for scene in scenes]
    if index >= CLOSER_FROM:
        rng = random.Random(index)
        scenes = [closer(scene, rng, width, height) for scene in scenes]
    return scenes


def write_shard(directory: Path, index: int, device: str = "cpu") -> None:
    """Render one shard; the file appears only when it is whole."""
    path = directory / f"{index:05d}.safetensors"
    if path.exists():
        return
    torch.set_num_threads(1)
    with torch.device(device):
        chunk = CHUNK if device == "cpu" else GPU_CHUNK
        drawn = render(shard_scenes(index), *SIZES[index % len(SIZES)], chunk)
    masks = torch.nn.functional.avg_pool2d(drawn.masks, MASK_CELL)
    tensors = {"photos": (drawn.photos * 255).round().byte().cpu(), "masks": (masks * 255).round().byte().cpu()}
    save_file(tensors, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def read_shards(directory: Path) -> Iterator[Shard]:
    """Every finished shard, in order."""
    paths = sorted(directory.glob("*.safetensors"))
    if not paths:
        raise click.ClickException(f"{directory} holds no scenes; run python -m samples.dataset {directory}")
    for path in paths:
        tensors = load_file(path)
        yield Shard(int(path.stem), tensors["photos"], tensors["masks"])


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--scenes", default=8_400, show_default=True, type=click.IntRange(1, FIRST_HELD_OUT_SEED // 2))
@click.option("--first-shard", default=0, show_default=True, type=click.IntRange(0, FIRST_HELD_OUT_SEED // SHARD // 2))
@click.option("--workers", default=os.cpu_count() or 1, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="Where to render, as torch names it.")
def main(directory: Path, scenes: int, first_shard: int, workers: int, device: str) -> None:
    """Render the training scenes into DIRECTORY."""
    directory.mkdir(parents=True, exist_ok=True)
    shards = range(first_shard, first_shard - (-scenes // SHARD))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        done = pool.map(write_shard, [directory] * len(shards), shards, [device] * len(shards))
        for _ in track(done, total=len(shards), description="rendering"):
            pass


if __name__ == "__main__":
    main()
