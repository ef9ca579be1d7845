"""Moves in real photos whose true result was photographed too.

    python -m tests.benchmarks.real_photos DIR [--json FILE]

DIR holds `edits.json` and a folder for each scene in the layout of ObjMove-A: the photo, the object's
mask, the box where it stands afterwards, the photo taken then, and the empty scene. The bundled model
knows none of the objects: words are not used, and the mask is everything.
"""

import json
from collections.abc import Callable
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

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Move
from realedit.evaluation.metrics import PerceptualMetric, psnr, region_mean, ssim_map
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.morphology import distance_inside
from tests.benchmarks.cases import Case
from tests.benchmarks.fillers import patchmatch
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import DIFFERS, nearer
from tests.benchmarks.rows import cut_paste_inpaint, do_nothing, set_down
from tests.benchmarks.sheet import contact_sheet

SIDE = 512  # pixels
HOLE_GROWTH = 7  # pixels at that side by which the hole that PatchMatch fills is larger than the object
OBJECT = "object"


@dataclass(frozen=True)
class Numbers:
    """Of one picture against the true photo."""

    psnr_full: float
    ssim_full: float
    perceptual_full: float
    psnr_region: float
    ssim_region: float
    perceptual_region: float
    ghost: float


def load_scene(folder: Path, name: str, entry: dict[str, Any]) -> Case:
    """A scene at 512 px. Its region is the object before and the box where it stands afterwards."""

    def read(file: str, mode: str) -> Tensor:
        with Image.open(folder / name / file) as image:
            small = image.convert(mode).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(small)).float() / 255
        return pixels[None, None] if mode == "L" else pixels.permute(2, 0, 1)[None]

    source = (read(entry["mask"], "L") > 0.5).float()
    box = (read(entry["target_box_mask"], "L") > 0.5).float()
    edit = Move(OBJECT, by=(entry["dx_frac"], entry["dy_frac"]), scale=entry["scale"])
    return Case(
        name=name,
        kind="move",
        prompt=f"a photo of {OBJECT}",
        edit=edit,
        before=read(entry["image"], "RGB"),
        truth=read(entry["ground_truth"], "RGB"),
        without=read(entry["clean_background"], "RGB"),
        source=source,
        target=box,
        region=torch.maximum(source, box),
        vacated=source * (1 - box),
    )


def paste(case: Case) -> Tensor:
    """The object set down at its new place, and left at its old one too."""
    return set_down(case, case.before)


def cut_paste_patchmatch(case: Case) -> Tensor:
    """What can be had without any model: the old place filled by PatchMatch, the object set down."""
    hole = torch.from_numpy(distance_inside(case.source[0, 0].numpy() <= 0.5) <= HOLE_GROWTH).float()[None, None]
    return set_down(case, patchmatch(case.before, hole, torch.zeros_like(hole)))


def realedit(model: DiffusionModel, perceptual: PerceptualMetric) -> Callable[[Case], Tensor]:
    """The program with its default settings, given the mask."""

    def row(case: Case) -> Tensor:
        photo, hints = Photo(to_bytes(case.before)), Hints({OBJECT: case.source})
        with fresh_cache():
            return edit(model, photo, case.prompt, case.edit, hints=hints, perceptual=perceptual).photo.tensor()

    return row


def numbers(case: Case, picture: Tensor, perceptual: PerceptualMetric) -> Numbers:
    everywhere = torch.ones_like(case.source)
    tellable = (case.before - case.without).abs().amax(1, keepdim=True) > DIFFERS
    vacated = (case.vacated > 0.5) & tellable
    ssim, distance = ssim_map(picture, case.truth), perceptual.distance(picture, case.truth)
    return Numbers(
        psnr_full=psnr(picture, case.truth, everywhere),
        ssim_full=region_mean(ssim, everywhere),
        perceptual_full=region_mean(distance, everywhere),
        psnr_region=psnr(picture, case.truth, case.region),
        ssim_region=region_mean(ssim, case.region),
        perceptual_region=region_mean(distance, case.region),
        ghost=float(nearer(picture, case.before, case.without)[vacated].float().mean()),
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet.")
def main(folder: Path, json_path: Path | None, sheet: Path | None) -> None:
    """Run the moves of FOLDER."""
    model = load_model(device="cpu")
    perceptual = perceptual_metric(model)
    contestants: dict[str, Callable[[Case], Tensor]] = {
        "do-nothing": lambda case: do_nothing(case)[0],
        "paste": paste,
        "cut-paste-inpaint": lambda case: cut_paste_inpaint(case)[0],
        "cut-paste-patchmatch": cut_paste_patchmatch,
        "realedit": realedit(model, perceptual),
    }
    entries = json.loads((folder / "edits.json").read_text())
    scenes = [load_scene(folder, name, entry) for name, entry in entries.items()]
    pictures = {name: [row(case) for case in scenes] for name, row in contestants.items()}
    found = {
        name: [numbers(c, p, perceptual) for c, p in zip(scenes, made, strict=True)] for name, made in pictures.items()
    }
    means = {
        name: {f"{key}_mean": float(np.mean([getattr(n, key) for n in each])) for key in Numbers.__dataclass_fields__}
        for name, each in found.items()
    }
    table = Table(f"{len(scenes)} photos, {perceptual.name}", *means)
    for key in Numbers.__dataclass_fields__:
        table.add_row(f"{key} (mean)", *(f"{row[f'{key}_mean']:.3f}" for row in means.values()))
    for i, case in enumerate(scenes):
        for key in ("psnr_full", "psnr_region"):
            table.add_row(f"{case.name} {key}", *(f"{getattr(each[i], key):.2f}" for each in found.values()))
    Console(width=120).print(table)
    if json_path is not None:
        json_path.write_text(json.dumps({"scenes": len(scenes), "rows": means}, indent=2))
    if sheet is not None:
        lines = [(c.name, [c.before, c.truth, *(made[i] for made in pictures.values())]) for i, c in enumerate(scenes)]
        contact_sheet(["before", "truth", *pictures], lines, sheet)


if __name__ == "__main__":
    main()
