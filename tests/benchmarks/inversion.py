"""How exact is each way to invert, what does it cost, and does one still edit well with it?

    python -m tests.benchmarks.inversion [--scenes N] [--moves M] [--steps S] [--real DIR] [--json FILE]

All ways share the model, the photos, the steps and the guidance scale. `textbook-null-text` is null-text with
the published code's numbers. Every way runs in a process of its own, so that its peak memory is its own.
"""

import functools
import json
import multiprocessing
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from inversion import null_text
from inversion.loading import load_model
from inversion.methods import METHODS, Method
from inversion.model import DiffusionModel
from inversion.null_text import TEXTBOOK
from inversion.problem import InversionProblem, Inverted
from realedit.evaluation.metrics import PerceptualMetric, compare_images
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.reading import load_photo
from realedit.images import to_bytes, working_size
from realedit.sampling.latent_blending import ResidualCorrection
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.settings import DEFAULTS
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from tests.benchmarks import rows
from tests.benchmarks.cases import cases
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import judge
from tests.benchmarks.rows import measured
from tests.benchmarks.statistics import share

TEXTBOOK_NAME, BOUND = "textbook-null-text", "vae_bound"
WAYS: dict[str, Method] = {TEXTBOOK_NAME: functools.partial(null_text.invert, settings=TEXTBOOK), **METHODS}
REAL_PROMPT = "a photo"  # the bundled model knows nothing of what real photos show
QUALITY = ("psnr", "ssim", "perceptual")

Numbers = dict[str, float]


@dataclass(frozen=True)
class Trial:
    """What every way is tried on."""

    model: str
    scenes: int
    moves: int
    first_seed: int
    steps: int
    guidance_scale: float
    real: Path | None
    threads: int | None

    def photos(self, model: DiffusionModel) -> list[tuple[Tensor, str]]:
        """Held-out renders with their captions, then real photos at the model's size."""
        scenes = [sample_scene(self.first_seed + k) for k in range(self.scenes)]
        found = [((render([s]).photos * 255).round() / 255, s.caption) for s in scenes]
        for path in sorted(self.real.iterdir()) if self.real else []:
            photo = load_photo(path)
            size = working_size(photo.size, model.native_size, model.pixel_multiple)
            found.append((torch.from_numpy(to_bytes(photo.small(size))).permute(2, 0, 1)[None] / 255, REAL_PROMPT))
        return found

    def __call__(self, name: str) -> Numbers:
        """The numbers of one way, or of the autoencoder alone, which bounds them all."""
        if self.threads:
            torch.set_num_threads(self.threads)
        model = load_model(self.model, device="cpu")
        perceptual = perceptual_metric(model)
        photos = self.photos(model)
        if name == BOUND:
            return mean([quality(p, model.decode(model.encode(p)).cpu(), perceptual) for p, _ in photos])
        found = mean([self.inverted(model, name, photo, prompt, perceptual) for photo, prompt in photos])
        found["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return found | {"move_success": self.success(model, name, perceptual)}

    def inverted(
        self, model: DiffusionModel, name: str, photo: Tensor, prompt: str, perceptual: PerceptualMetric
    ) -> Numbers:
        """Invert a photo and sample it again; the cost is that of the inversion."""
        problem = InversionProblem(model, model.encode(photo), prompt, model.schedule(self.steps), self.guidance_scale)
        began = time.perf_counter()
        with model.metered() as meter:
            found = WAYS[name](problem)
        seconds = time.perf_counter() - began
        back = quality(photo, regained(model, found, prompt, self.steps), perceptual)
        return back | {"forward_equivalents": meter.forward_equivalents, "seconds": seconds}

    def success(self, model: DiffusionModel, name: str, perceptual: PerceptualMetric) -> float:
        """The share of moves of the relocation benchmark that succeed with this way."""
        METHODS.setdefault(name, WAYS[name])
        row = rows.realedit(model, perceptual, replace(DEFAULTS, steps=self.steps, method=name))
        verdicts = []
        for case in [c for c in cases(self.first_seed, self.moves) if c.kind == "move"]:
            with fresh_cache():
                outcome = measured(row, case, model)
            verdicts.append(judge(case, outcome.picture, outcome.touched, perceptual).success)
        return share(verdicts).value


def regained(model: DiffusionModel, found: Inverted, prompt: str, steps: int) -> Tensor:
    """The photo that sampling gives back."""
    kept = [ResidualCorrection(found.residuals)] if found.residuals is not None else []
    row = Conditioning(model.embed(prompt), found.unconditional, found.guidance_scale)
    return model.decode(sample(model, found.pivots[:1], model.schedule(steps), row, callbacks=kept)).cpu()


def quality(photo: Tensor, back: Tensor, perceptual: PerceptualMetric) -> Numbers:
    report = compare_images(photo, back, torch.ones_like(photo[:, :1]), perceptual)
    return dict(zip(QUALITY, (report.psnr_db, report.ssim, report.perceptual), strict=True))


def mean(numbers: Sequence[Numbers]) -> Numbers:
    return {key: sum(n[key] for n in numbers) / len(numbers) for key in numbers[0]}


def as_table(found: dict[str, Numbers]) -> Table:
    base = found.get(TEXTBOOK_NAME)
    table = Table("", "PSNR dB", "SSIM", "distance", "evaluations", "of textbook", "seconds", "peak MB", "moves")
    for name, n in found.items():
        cells = [f"{n['psnr']:.2f}", f"{n['ssim']:.4f}", f"{n['perceptual']:.4f}"]
        if name != BOUND:
            ratio = f"1/{base['forward_equivalents'] / n['forward_equivalents']:.1f}" if base else ""
            cells += [f"{n['forward_equivalents']:.0f}", ratio, f"{n['seconds']:.1f}"]
            cells += [f"{n['peak_memory_mb']:.0f}", f"{n['move_success']:.0%}"]
        table.add_row(name, *cells)
    return table


@click.command()
@click.option("--scenes", default=12, show_default=True, type=click.IntRange(1))
@click.option("--moves", default=12, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--steps", default=50, show_default=True, type=click.IntRange(2))
@click.option("--guidance-scale", default=7.5, show_default=True)
@click.option("--real", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A folder of photos.")
@click.option("--only", multiple=True, type=click.Choice(tuple(WAYS)))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(
    scenes: int,
    moves: int,
    first_seed: int,
    steps: int,
    guidance_scale: float,
    real: Path | None,
    only: tuple[str, ...],
    model_name: str,
    workers: int,
    json_path: Path | None,
) -> None:
    """Invert, sample again, and edit, in every way."""
    threads = 1 if workers > 1 else None
    trial = Trial(model_name, scenes, moves, first_seed, steps, guidance_scale, real, threads)
    names = [BOUND, *(only or WAYS)]
    # The slowest first, and a fresh process for each, so that its peak memory is its own.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), max_tasks_per_child=1)
    with pool:
        found = dict(zip(names[1:] + names[:1], pool.map(trial, names[1:] + names[:1]), strict=True))
    found = {name: found[name] for name in names}
    Console(width=120).print(as_table(found))
    if json_path is not None:
        methods = {name: found[name] for name in names[1:]}
        json_path.write_text(json.dumps({BOUND: found[BOUND], "methods": methods}, indent=2))


if __name__ == "__main__":
    main()
