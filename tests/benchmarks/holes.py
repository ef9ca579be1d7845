"""Holes in real photos, filled where the truth is known.

    python -m tests.benchmarks.holes DIR [--rows NAME,NAME] [--json FILE] [--sheet FILE]

DIR holds `NAME.jpg` and `NAME-mask.png`, the mask of an object. The mask, grown as a person would, is laid over
the photo where the object is not, as far from it as the frame allows; what it hides is the truth.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt
from scipy.signal import fftconvolve
from torch import Tensor
from torch.nn import functional as F

from inversion.loading import load_model
from realedit.evaluation.hole_measures import detail, seam
from realedit.evaluation.metrics import PerceptualMetric, psnr, region_mean, ssim_map
from realedit.evaluation.perceptual import perceptual_metric
from realedit.morphology import distance_inside
from tests.benchmarks.fillers import FILLERS, Filler
from tests.benchmarks.judge import window
from tests.benchmarks.sheet import contact_sheet

GROWTH = 10  # pixels by which a mask is grown, so that no rim of its object stays; as much lies between hole and frame
SMALLER = 0.8  # what a mask is scaled by, again and again, if there is no room for it beside its object
RIGHT = 0.7, 1.4  # within which detail is right
KEYS = "psnr_mean ssim_mean perceptual_mean detail_median detail_right seam_median seconds_mean".split()


@dataclass(frozen=True, eq=False)
class Hole:
    """A `truth` (1, 3, H, W), the `hole` in it and the marked object, grown as well (`others`), both (1, 1, H, W)."""

    name: str
    truth: Tensor
    hole: Tensor
    others: Tensor

    @property
    def photo(self) -> Tensor:
        """What is given to be filled: black in the hole, so that nobody can have seen the truth."""
        return self.truth * (1 - self.hole)


@dataclass(frozen=True, eq=False)
class Filled:
    """A picture (1, 3, H, W), the truth outside its hole, and its numbers there."""

    picture: Tensor
    psnr: float
    ssim: float
    perceptual: float
    detail: float
    seam: float
    seconds: float


def load_holes(folder: Path) -> list[Hole]:
    """Every photo of a folder that has a mask, by name."""
    return [load_hole(path) for path in sorted(folder.glob("*.jpg")) if mask_of(path).is_file()]


def mask_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-mask.png")


def load_hole(path: Path) -> Hole:
    with Image.open(path) as image:
        truth = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    with Image.open(mask_of(path)) as image:
        mask = np.array(image.convert("L")) > 127
    hole = place(mask)
    return Hole(path.stem, truth, *(torch.from_numpy(m).float()[None, None] for m in (hole, grown(mask))))


def grown(mask: np.ndarray) -> np.ndarray:
    return np.asarray(distance_inside(~mask) <= GROWTH)


def place(mask: np.ndarray) -> np.ndarray:
    """The mask of an object (H, W), grown and shifted to where it is farthest from the object, grown likewise.

    All of it stays in the frame. Where there is no room for it beside the object, it is made smaller until there is.

    Raises:
        ValueError: the mask is empty, or leaves no room at all.
    """
    if not mask.any():
        raise ValueError("expected a mask of something, got an empty one")
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    piece = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    object_ = grown(mask)
    while min(piece.shape) > 1:
        shape = grown(np.pad(piece, GROWTH))
        # where in the frame this shape would meet the object, for every shift; how far shifts are from those
        meets = fftconvolve(object_.astype(float), shape[::-1, ::-1].astype(float)) > 0.5
        gap = distance_transform_edt(~meets)
        inside = gap[shape.shape[0] - 1 + GROWTH : height - GROWTH, shape.shape[1] - 1 + GROWTH : width - GROWTH]
        if inside.size and inside.max() > 0:
            top, left = np.unravel_index(int(inside.argmax()), inside.shape)
            before = int(top) + GROWTH, int(left) + GROWTH
            after = (height - before[0] - shape.shape[0], width - before[1] - shape.shape[1])
            return np.pad(shape, tuple(zip(before, after, strict=True)))
        small = F.interpolate(torch.from_numpy(piece)[None, None].float(), scale_factor=SMALLER, mode="area")
        piece = small[0, 0].numpy() > 0.5
    raise ValueError("expected room for a hole beside the mask, found none; use a smaller mask")


def judge(case: Hole, filler: Filler, perceptual: PerceptualMetric) -> Filled:
    """Let a filler work, and hold what it made against the truth, in the hole alone."""
    began = time.perf_counter()
    made = filler(case.photo, case.hole, case.others)
    seconds = time.perf_counter() - began
    picture = torch.where(case.hole > 0.5, made, case.truth)
    return Filled(
        picture=picture,
        psnr=psnr(picture, case.truth, case.hole),
        ssim=region_mean(ssim_map(picture, case.truth), case.hole),
        perceptual=region_mean(perceptual.distance(picture, case.truth), case.hole),
        detail=detail(picture, case.hole, case.others),
        seam=seam(picture, case.hole, case.others),
        seconds=seconds,
    )


def summary(results: Sequence[Filled]) -> dict[str, float]:
    """The numbers of a row, by the names of the JSON."""
    details = [r.detail for r in results]
    values = [
        *(np.mean([getattr(r, key) for r in results]) for key in ("psnr", "ssim", "perceptual")),
        np.nanmedian(details),
        np.mean([RIGHT[0] <= d <= RIGHT[1] for d in details]),
        np.nanmedian([r.seam for r in results]),
        np.mean([r.seconds for r in results]),
    ]
    return dict(zip(KEYS, map(float, values), strict=True))


def write_sheet(holes: Sequence[Hole], found: dict[str, list[Filled]], path: Path) -> None:
    """The surroundings of every hole: as given, in truth, and as each row fills it."""
    lines = []
    for i, case in enumerate(holes):
        top, bottom, left, right = window(case.hole, 32)
        pictures = [case.photo, case.truth, *(row[i].picture for row in found.values())]
        lines.append((case.name, [p[..., top:bottom, left:right] for p in pictures]))
    contact_sheet(["hole", "truth", *found], lines, path)


def show(holes: Sequence[Hole], rows: dict[str, dict[str, float]], perceptual: str) -> None:
    """The table; its last column is what the photos themselves have in the places of the holes."""
    true = [(detail(case.truth, case.hole, case.others), seam(case.truth, case.hole, case.others)) for case in holes]
    right = float(np.mean([RIGHT[0] <= d <= RIGHT[1] for d, _ in true]))
    medians = np.nanmedian(np.array(true), axis=0)
    truth = {"detail_median": medians[0], "detail_right": right, "seam_median": medians[1]}
    table = Table(f"{len(holes)} photos, {perceptual}", *rows, "truth")
    for key in KEYS:
        table.add_row(key, *(f"{row[key]:.3f}" if key in row else "" for row in [*rows.values(), truth]))
    Console(width=120).print(table)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--rows", "names", default=",".join(FILLERS), help="Which rows, with commas between.", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet.")
def main(folder: Path, names: str, json_path: Path | None, sheet: Path | None) -> None:
    """Fill holes in the photos of FOLDER."""
    unknown = set(names.split(",")) - set(FILLERS)
    if unknown:
        raise click.BadParameter(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(FILLERS)}")
    holes = load_holes(folder)
    if not holes:
        raise click.BadParameter(f"{folder} has no NAME.jpg with a NAME-mask.png")
    perceptual = perceptual_metric(load_model(device="cpu"))
    found = {name: [judge(case, FILLERS[name], perceptual) for case in holes] for name in names.split(",")}
    rows = {name: summary(results) for name, results in found.items()}
    show(holes, rows, perceptual.name)
    if json_path is not None:
        json_path.write_text(json.dumps({"photos": len(holes), "rows": rows}, indent=2))
    if sheet is not None:
        write_sheet(holes, found, sheet)


if __name__ == "__main__":
    main()
