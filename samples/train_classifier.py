"""Train the classifier of noisy latents that guides the bundled model: which colours and which kinds of objects a scene
shows.

    python -m samples.train_classifier SCENES RUN --steps 4000

Writes RUN/classifier and RUN/losses.jsonl, prints the accuracy on held-out scenes, and resumes when run again.
"""

from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from inversion.loading import load_model
from realedit.methods.latent_classifier import CLASSIFIER_HEADER, CLASSIFIER_TENSORS, LatentClassifier
from samples.dataset import read_shards, shard_scenes
from samples.examples import encode_shard
from samples.renderer import render
from samples.scenes import COLOURS, FIRST_HELD_OUT_SEED, Scene, sample_scene
from samples.shapes import SHAPES
from samples.training import Average, Run, learning_rate

CLASSES = (*COLOURS, *SHAPES)
BATCH, PEAK_RATE = 64, 3e-3
HELD_OUT = 100  # scenes
LEVELS = (1.0, 0.9, 0.5, 0.1)  # alpha_bar at which accuracy is told


def truth(scenes: list[Scene]) -> Tensor:
    """Which classes scenes show, (n, classes)."""
    shown = [{word for thing in scene.things for word in (thing.colour, thing.shape)} for scene in scenes]
    return torch.tensor([[float(word in words) for word in CLASSES] for words in shown])


def noised(latents: Tensor, alpha_bar: Tensor, generator: torch.Generator) -> Tensor:
    level = alpha_bar.view(-1, 1, 1, 1)
    return level.sqrt() * latents + (1 - level).sqrt() * torch.randn(latents.shape, generator=generator)


@torch.no_grad()
def accuracies(classifier: LatentClassifier, latents: Tensor, there: Tensor) -> dict[float, tuple[float, float]]:
    """By level: the share of classes that are there and are found, and of those that are not and are not."""
    found = {}
    for level in LEVELS:
        alpha_bar = torch.full((len(latents),), level)
        said = classifier.scores(noised(latents, alpha_bar, torch.Generator().manual_seed(0)), alpha_bar) > 0
        found[level] = (float(said[there > 0].float().mean()), float((~said[there == 0]).float().mean()))
    return found


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=4000, show_default=True)
@click.option("--latents", type=click.Path(path_type=Path), help="Where latents are kept; default: in the run.")
def main(scenes: Path, run_directory: Path, steps: int, latents: Path | None) -> None:
    """Train on the rendered SCENES, keep the run in RUN_DIRECTORY."""
    model = load_model(device="cpu")
    levels = model.scheduler.alphas_cumprod
    kept = latents or run_directory / "latents"
    shards = [s for s in read_shards(scenes) if s.photos.shape[-1] == s.photos.shape[-2]]
    rows = [encode_shard(s, model.vae, kept / f"{s.index:05d}.safetensors").float() for s in shards]
    seen, there = torch.cat(rows, dim=1), torch.cat([truth(shard_scenes(s.index)) for s in shards])
    torch.manual_seed(0)
    classifier = LatentClassifier(CLASSES, model.fingerprint)
    optimiser = torch.optim.AdamW(classifier.parameters(), PEAK_RATE, weight_decay=0.05)
    average = Average(classifier, 0.99)
    run = Run(run_directory, {"classifier": classifier, "optimiser": optimiser, "average": average}, steps)
    for step in run.remaining():
        generator = torch.Generator().manual_seed(step)
        chosen = torch.randint(seen.shape[1], (BATCH,), generator=generator)
        clean = seen[torch.randint(2, (BATCH,), generator=generator), chosen]
        alpha_bar = levels[torch.randint(len(levels), (BATCH,), generator=generator)]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, PEAK_RATE)
        scores = classifier.scores(noised(clean, alpha_bar, generator), alpha_bar)
        loss = F.binary_cross_entropy_with_logits(scores, there[chosen])
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        average.update(classifier, step)
        if step % 50 == 0:
            run.log(loss=loss)
    folder = run_directory / "classifier"
    folder.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in average.module.state_dict().items()}, folder / CLASSIFIER_TENSORS)
    (folder / CLASSIFIER_HEADER).write_text(average.module.header())
    held_out = [sample_scene(FIRST_HELD_OUT_SEED + k) for k in range(HELD_OUT)]
    latent = torch.cat([model.encode(photo) for photo in render(held_out).photos.split(1)])
    for level, (right, wrong) in accuracies(average.module, latent, truth(held_out)).items():
        print(f"alpha_bar {level:g}: {right:.0%} of what is there, {wrong:.0%} of what is not")


if __name__ == "__main__":
    main()
