"""What does guided sampling cost beside the network evaluations that it cannot avoid?

    python -m tests.benchmarks.sampling [--steps S] [--repeats N] [--json FILE]

The same passes are made twice: by the sampler, with its energies, guidance and anchors, and by a bare loop that
does nothing with what comes out. Every second step is guided, as in an edit of a new look.
"""

import json
import statistics
import time
from pathlib import Path

import click
import torch
from torch import Tensor

from inversion.loading import load_model
from inversion.model import DiffusionModel
from inversion.taps import tap
from realedit.geometry.transform import Placement
from realedit.sampling.energies import ObjectTarget, edit_energies
from realedit.sampling.guidance import Guidance, GuidedSteps
from realedit.sampling.inverted_image import InvertedImage, invert_image, photo_conditioning
from realedit.sampling.latent_blending import LatentBlend
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.settings import DEFAULTS, Settings
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, sample_scene
from tests.benchmarks.fresh import fresh_cache

SHIFT = Placement((0.5, 0.5), (0.6, 0.55))


def guided(model: DiffusionModel, seen: InvertedImage, words: tuple[int, ...], settings: Settings) -> None:
    """The sampler as an edit runs it."""
    reference = seen.reference
    nowhere = torch.zeros_like(seen.image[:, :1])
    wanted = ObjectTarget(words, words, (SHIFT,), nowhere, new_appearance=False)
    everywhere = torch.ones_like(reference.pivots[:1, :1])
    energy = edit_energies(reference, [wanted], (), settings.weights)
    guidance = Guidance(energy, everywhere, settings.strength, 0.0, GuidedSteps(0.0, 1.0))
    anchor = LatentBlend(reference.pivots, torch.zeros_like(everywhere))
    schedule = model.schedule(settings.steps)
    sample(
        model,
        reference.pivots[:1],
        schedule,
        photo_conditioning(model, reference),
        guidance=guidance,
        callbacks=[anchor],
    )


def bare(model: DiffusionModel, start: Tensor, rows: Conditioning, steps: int) -> None:
    """The same passes through the network, and nothing else."""
    for i, t in enumerate(model.schedule(steps).timesteps):
        null = rows.unprompted(i)
        if i % 2 == 0:
            z = start.clone().requires_grad_()
            with torch.enable_grad(), tap(model.unet, model.sites) as tape:
                model.predict(z, t, [rows.prompt])
                value = sum(maps.sum() for maps in (*tape.attention.values(), *tape.features.values()))
            torch.autograd.grad(value, z)
            with torch.no_grad():
                model.predict(start, t, [null])
        else:
            with torch.no_grad():
                model.predict(start, t, [null, rows.prompt])


def seconds(work, *given) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    work(*given)
    return time.perf_counter() - began


@click.command()
@click.option("--steps", default=DEFAULTS.steps, show_default=True, type=click.IntRange(2))
@click.option("--repeats", default=7, show_default=True, type=click.IntRange(1))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(steps: int, repeats: int, json_path: Path | None) -> None:
    """Sample with guidance and without anything, in turn, and print the ratio of the medians."""
    model, settings = load_model(device="cpu"), Settings(steps=steps, method="negative-prompt")
    scene = sample_scene(FIRST_HELD_OUT_SEED)
    with fresh_cache():
        seen = invert_image(Session(model, settings), render([scene]).photos, scene.caption)
    words = model.positions(scene.caption, scene.things[0].phrase)
    rows, start = photo_conditioning(model, seen.reference), seen.reference.pivots[:1]
    with model.metered() as meter:
        guided(model, seen, words, settings)
    times: dict[str, list[float]] = {"guided": [], "bare": []}
    for _ in range(repeats):
        times["guided"].append(seconds(guided, model, seen, words, settings))
        times["bare"].append(seconds(bare, model, start, rows, steps))
    middle = {name: statistics.median(found) for name, found in times.items()}
    found = {**middle, "ratio": middle["guided"] / middle["bare"], "per_step": meter.forward_equivalents / steps}
    click.echo(
        f"guided {found['guided']:.2f} s, bare {found['bare']:.2f} s, ratio {found['ratio']:.3f}; "
        f"{found['per_step']:.2f} forward-equivalents a step"
    )
    if json_path is not None:
        json_path.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
