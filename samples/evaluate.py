"""Print the held-out numbers of a checkpoint.

    python -m samples.evaluate samples/tabletop --scenes 64 --json FILE

Round trip: PSNR of encode and decode. Words: the share of asked objects that generated pictures
show in the asked colour and shape. Attention: overlap (IoU) of the cross-attention of an object's
phrase, thresholded at 0.3 of its peak, with the true mask, at mid noise.
"""

import json
import random
from pathlib import Path

import click
import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from inversion.loading import load_model
from inversion.model import DiffusionModel
from inversion.schedule import ddim_step
from inversion.taps import tap
from realedit.images import to_bytes
from realedit.objects.segmentation import ATTENDED_SHARE, upsampled_attention
from realedit.sampling.attention import phrase_map
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from samples.judge import HUES, shows
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene
from samples.shapes import SHAPES

MID_NOISE = 0.5  # the fraction of the schedule at which attention is read
STEPS, GUIDANCE = 25, 5.0


def round_trip_psnr(model: DiffusionModel, photos: Tensor) -> list[float]:
    """PSNR in dB of every photo (n, 3, H, W) after encode and decode."""
    errors = [(model.decode(model.encode(p[None])).cpu() - p).square().mean().item() for p in photos]
    return [-10 * float(np.log10(e)) for e in errors]


def asked_objects(rng: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """A prompt for one or two objects on neutral ground, and their (colour, shape) pairs."""
    count = rng.choice((1, 2))
    pairs = list(zip(rng.sample(list(HUES), count), rng.sample(list(SHAPES), count), strict=True))
    names = [("an " if colour[0] == "o" else "a ") + f"{colour} {shape}" for colour, shape in pairs]
    return f"a photo of {' and '.join(names)} on a grey table in front of a grey wall", pairs


def words_shown(model: DiffusionModel, count: int) -> tuple[list[bool], Tensor]:
    """For every asked object whether it is shown, and the first pictures drawn (8, 3, H, W)."""
    rng, verdicts, drawn = random.Random(7), [], []
    schedule, empty = model.schedule(STEPS), model.unprompted().repeat(STEPS)
    side = model.native_size // model.latent_factor
    for k in track(range(count), description="words"):
        prompt, pairs = asked_objects(rng)
        noise = torch.randn(1, model.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(k))
        photo = model.decode(sample(model, noise, schedule, Conditioning(model.embed(prompt), empty, GUIDANCE)))
        verdicts += [shows(to_bytes(photo), colour, shape) for colour, shape in pairs]
        drawn.append(photo)
    return verdicts, torch.cat(drawn[:8])


@torch.no_grad()
def attention_overlaps(model: DiffusionModel, scenes: list[Scene], photos: Tensor, masks: Tensor) -> list[float]:
    """IoU of where the phrase is attended to with the true mask, for objects of at least 1 %."""
    schedule, overlaps = model.schedule(STEPS), []
    i = round(MID_NOISE * STEPS)
    for k, scene in enumerate(scenes):
        latent = model.encode(photos[k : k + 1])
        noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(k))
        z = ddim_step(latent, noise, schedule.alpha_from[i])
        with tap(model.unet, model.sites) as tape:
            model.predict(z, schedule.timesteps[i], [model.embed(scene.caption)])
        for thing, mask in zip(scene.things, masks[k], strict=False):
            if mask.mean() >= 0.01:
                words = model.positions(scene.caption, thing.phrase)
                attended = (
                    upsampled_attention(phrase_map(tape.attention, words), (mask.shape[1], mask.shape[0]))[0, 0]
                    > ATTENDED_SHARE
                )
                true = mask > 0.5
                overlaps.append(float((attended & true).sum() / (attended | true).sum()))
    return overlaps


@click.command()
@click.argument("checkpoint", default="samples/tabletop", type=click.Path(path_type=Path, exists=True))
@click.option("--scenes", default=64, show_default=True, type=click.IntRange(1))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(checkpoint: Path, scenes: int, json_path: Path | None) -> None:
    """Measure CHECKPOINT on held-out scenes."""
    model = load_model(str(checkpoint), device="cpu")
    held_out = [sample_scene(FIRST_HELD_OUT_SEED + i) for i in range(scenes)]
    drawn = render(held_out)
    psnr = round_trip_psnr(model, drawn.photos)
    overlaps = attention_overlaps(model, held_out, drawn.photos, drawn.masks)
    shown, _ = words_shown(model, scenes)
    numbers = {
        "scenes": scenes,
        "round_trip_psnr_db": float(np.mean(psnr)),
        "objects_shown": float(np.mean(shown)),
        "attention_iou_mean": float(np.mean(overlaps)),
        "attention_iou_median": float(np.median(overlaps)),
    }
    print(json.dumps(numbers, indent=2))
    if json_path is not None:
        json_path.write_text(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
