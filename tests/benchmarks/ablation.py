"""What does each part of an edit earn? The relocation benchmark with one ingredient left out at a time.

python -m tests.benchmarks.ablation [--scenes N] [--first-seed S] [--workers N] [--json FILE]
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from inversion.loading import load_model
from inversion.model import DiffusionModel
from realedit.compositing import layers, separation
from realedit.compositing.effects import Effects
from realedit.editing import conditioning, decomposition, resampling, sampled_edit
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.geometry import camera_estimation, object_pose
from realedit.geometry.camera import Camera
from realedit.geometry.transform import IDENTITY_MATRIX
from realedit.images import resize
from realedit.inpainting import clean_plate
from realedit.inpainting.completion import Completion, complete
from realedit.inpainting.fill import fill_smoothly
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.settings import DEFAULTS, Settings, Strength
from samples.scenes import FIRST_HELD_OUT_SEED
from tests.benchmarks import rows
from tests.benchmarks.cases import Case, cases
from tests.benchmarks.fresh import fresh_cache
from tests.benchmarks.judge import judge
from tests.benchmarks.relocation import Result, as_json, as_table, run, summary
from tests.benchmarks.rows import measured
from tests.benchmarks.textbook import PublishedRule

Replacement = tuple[Any, str, Any]  # where, what, by what


@dataclass(frozen=True)
class Variant:
    """The program with something changed: settings, the inversion, or a function replaced."""

    settings: Settings = DEFAULTS
    replaced: tuple[Replacement, ...] = ()


def _unnormalised(energy: Any, region: Tensor, strength: Strength, tolerance: float, guided: GuidedSteps) -> Guidance:
    """Guidance in its own window, with the gradient as the paper adds it."""
    guidance = Guidance(energy, region, strength, tolerance, guided)
    published = PublishedRule(energy, rows.TUNED_V)
    with_shift = type("Unnormalised", (Guidance,), {"shift": lambda self, g, n, ab: region * published.shift(g, n, ab)})
    return with_shift(*(getattr(guidance, f) for f in guidance.__dataclass_fields__))


def _whole_wide_hole(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor]) -> Tensor:
    return separation.union([separation.around(source, DEFAULTS.reach) for source in sources], photo)


def _none_left(
    photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()
) -> list[Effects]:
    return [Effects.none(source) for source in sources]


def _undrawn_plate(session: Any, inverted: Any, prompt: str, hole: Tensor, others: Tensor) -> Tensor:
    return complete(inverted.image, hole, others).image


def _says_nothing(outline: Any, camera: Camera) -> np.ndarray:
    return np.zeros_like(camera_estimation.PITCHES)


def _all_drawn(photo: Tensor, hole: Tensor, others: Tensor) -> Completion:
    found = complete(photo, hole, others)
    return replace(found, confidence=torch.zeros_like(found.confidence))


def _smooth(photo: Tensor, hole: Tensor, others: Tensor) -> Completion:
    smooth = torch.where(hole > 0.5, fill_smoothly(photo, torch.maximum(hole, others)), photo)
    return Completion(smooth, torch.zeros_like(hole))


def _noise_where_it_was(path: Any, composite: Tensor, hole: Tensor, transported: Any, seed: int) -> Tensor:
    return NOISED_COMPOSITE(path, composite, hole, (), seed)


def _generated_alone(session: Any, photo: Any, scene: Any, drawn: Any, generated: Tensor, changes: Any) -> Any:
    _, composite = RENDER(session, photo, scene, drawn, generated, changes)
    everywhere = torch.ones_like(composite.editable)
    picture = photo.painted(resize(generated, photo.size), everywhere)
    return picture, replace(composite, editable=everywhere)


NOISED_COMPOSITE, RENDER = resampling.noised_composite, sampled_edit.render_full_resolution
OFF = Strength(0.0, 0.0, 0.0)
FLAT: Replacement = (object_pose, "LARGEST_RESIDUAL", 0.0)


def weighing(**weights: float) -> Variant:
    return Variant(replace(DEFAULTS, weights=replace(DEFAULTS.weights, **weights)))


VARIANTS: dict[str, Variant] = {
    "everything": Variant(),
    "no null-text (DDIM)": Variant(replace(DEFAULTS, method="ddim")),
    "negative-prompt instead": Variant(replace(DEFAULTS, method="negative-prompt")),
    "no second, tight plate": Variant(replaced=((decomposition, "covered_region", _whole_wide_hole),)),
    "no model in the plate": Variant(replaced=((decomposition, "clean_plate", _undrawn_plate),)),
    "no copies kept in the plate": Variant(replaced=((clean_plate, "complete", _all_drawn),)),
    "smooth for what repeats": Variant(replaced=((clean_plate, "complete", _smooth),)),
    "masks as found": Variant(replaced=((decomposition, "without_shadow", lambda photo, plate, mask, others: mask),)),
    "a camera by lines alone": Variant(replaced=((camera_estimation, "silhouette_likelihood", _says_nothing),)),
    "no matting": Variant(replaced=((layers, "estimate_matte", lambda photo, behind, mask: (photo, mask)),)),
    "no shadow": Variant(replaced=((separation, "object_effects", _none_left),)),
    "turned as if flat": Variant(replaced=(FLAT,)),
    "no turning": Variant(replaced=(FLAT, (Camera, "view_change", lambda camera, here, there: IDENTITY_MATRIX))),
    "no final sampling": Variant(replace(DEFAULTS, surroundings_until=1.0, strength=OFF)),
    "no guidance": Variant(replace(DEFAULTS, strength=OFF)),
    "no shape term": weighing(shape=0.0),
    "no appearance term": weighing(appearance=0.0),
    "no ghost term": weighing(ghost=0.0),
    "no gradient normalisation": Variant(replaced=((conditioning, "Guidance", _unnormalised),)),
    "no pre-shifted latents": Variant(replaced=((resampling, "noised_composite", _noise_where_it_was),)),
    "no paste-back": Variant(replaced=((sampled_edit, "render_full_resolution", _generated_alone),)),
}


@contextmanager
def replacing(replacements: tuple[Replacement, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.enter_context(patch.object(owner, name, value))
        yield


@dataclass(frozen=True)
class Ablation:
    """All variants on one case; they share the inversions, so costs are those of the edit alone."""

    model: str
    threads: int | None = None

    def __call__(self, case: Case) -> dict[str, Result]:
        model, perceptual = _loaded(self)
        results = {}
        with fresh_cache():
            for name, variant in VARIANTS.items():
                row = rows.realedit(model, perceptual, variant.settings)
                with replacing(variant.replaced):
                    outcome = measured(row, case, model)
                results[name] = (case, outcome, judge(case, outcome.picture, outcome.touched, perceptual))
        return results


@functools.cache
def _loaded(ablation: Ablation) -> tuple[DiffusionModel, PerceptualMetric]:
    if ablation.threads:
        torch.set_num_threads(ablation.threads)
    model = load_model(ablation.model, device="cpu")
    return model, perceptual_metric(model)


@click.command()
@click.option("--scenes", default=8, show_default=True, type=click.IntRange(1))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--model", "model_name", default="tabletop", show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes of one thread each.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(scenes: int, first_seed: int, model_name: str, workers: int, json_path: Path | None) -> None:
    """Leave out one ingredient at a time."""
    results = run(cases(first_seed, scenes), Ablation(model_name, 1 if workers > 1 else None), workers)
    table = {name: summary(found) for name, found in results.items()}
    names = list(table)
    for some in (names[:6], names[6:12], names[12:]):
        Console(width=180).print(as_table({name: table[name] for name in some}))
    if json_path is not None:
        json_path.write_text(as_json(table, scenes))


if __name__ == "__main__":
    main()
