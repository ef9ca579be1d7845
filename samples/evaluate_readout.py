"""What readout heads tell of named objects in held-out scenes, beside what cross-attention tells, by noise level.

    python -m samples.evaluate_readout [--scenes 100] [--json FILE]

Of one object of at least 1 % of the frame in each: how far its centroid is off, in fractions of the frame; how well
sizes are ranked (Spearman's correlation with the true ones); how often one that is there seems surer than one
that is not, in the same scenes without it, under the same words (the area under the curve); and how often its colour is
told, from inside its map, under a caption that names a wrong one. All are read by the same functions of both kinds of
maps, those of the energies.
"""

import itertools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import rankdata
from torch import Tensor

from inversion.loading import load_model
from inversion.model import DiffusionModel
from inversion.properties import above_floor, centroid, size
from inversion.taps import Sites, Tape, tap
from inversion.weights import bundled_samples
from realedit.methods.readout import BUNDLED_HEADS, READ_MAPS, presence
from realedit.methods.readout_heads import ReadoutHeads, decoder_sites, load_heads
from realedit.sampling.attention import attention_of, object_shape
from samples.dataset import SIZES
from samples.renderer import render
from samples.scenes import FIRST_HELD_OUT_SEED, Scene, sample_scene
from samples.train_readout import SMALL_HEADS, misnamed

LEVELS_READ = (0.95, 0.8, 0.5, 0.2, 0.05)  # alpha_bar, of which the nearest of the training timesteps are taken
SMALLEST = 0.01  # of the frame, of objects that count


@dataclass(frozen=True)
class Told:
    """Of one object in one picture: by how much its position is off, its size and the true one, how surely it is there
    where it is and where it is not, and whether its colour is right."""

    position: float
    size: float
    true_size: float
    there: float
    gone: float
    colour: bool


class Reader:
    """One way to read maps, off what one pass shows, with the heads that tell colours in them. `heads` None:
    attention."""

    def __init__(self, heads: ReadoutHeads | None, colours: ReadoutHeads) -> None:
        self.heads, self.colours = heads, colours

    def maps(self, tape: Tape, alpha_bar: Tensor, text: Tensor) -> dict[str, Tensor]:
        """(1, tokens, h, w) by layer."""
        if self.heads is None:
            return tape.attention
        return {READ_MAPS: self.heads.maps(tape.features, alpha_bar, text)}

    def colour(self, tape: Tape, alpha_bar: Tensor, maps: dict[str, Tensor]) -> str:
        """What the heads see inside an object's maps."""
        hidden = self.colours.hidden(tape.features, alpha_bar)
        mask = object_shape(maps) if self.heads is None else maps[READ_MAPS].mean(1)
        mask = torch.nn.functional.interpolate(mask[None], hidden.shape[-2:], mode="bilinear")[0]
        return self.colours.header.colours[int(self.colours.colours(hidden, mask).argmax())]


def mean_of(values: Iterator[Tensor]) -> Tensor:
    """Over words, then layers."""
    return torch.stack([each[0].mean(0) for each in values]).mean(0)


@torch.no_grad()
def passed(model: DiffusionModel, photo: Tensor, caption: str, level: int, seed: int) -> tuple[Tape, Tensor]:
    """What a photo (1, 3, H, W) in noise shows under a caption; and the text (1, T, E)."""
    latent, text = model.encode(photo), model.embed(caption)
    alpha_bar = model.scheduler.alphas_cumprod[level]
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
    noisy = alpha_bar.sqrt() * latent + (1 - alpha_bar).sqrt() * noise
    with tap(model.unet, Sites(model.sites.attention, tuple(decoder_sites(model.unet)))) as tape:
        model.predict(noisy, level, [text])
    return tape, text.tokens


def misnamed_at(scene: Scene, k: int, seed: int) -> Scene:
    """The scene with its `k`-th object said to have a colour that nothing there has."""
    said = (misnamed(scene, random.Random(f"{seed} {n}")) for n in itertools.count())
    return next(each for each in said if each.things[k] != scene.things[k])


def seen_in(
    model: DiffusionModel, readers: Mapping[str, Reader], scene: Scene, frame: tuple[int, int], seed: int
) -> Iterator[tuple[float, str, Told]]:
    """At every level what every reader tells of one of the scene's objects, if any is large enough."""
    drawn = render([scene], *frame)
    large = [k for k in range(len(scene.things)) if drawn.masks[0, k].mean() >= SMALLEST]
    if not large:
        return
    k = random.Random(seed).choice(large)
    mask, named = drawn.masks[0, k], scene.things[k].phrase
    without = render([scene.without(k)], *frame).photos
    other = misnamed_at(scene, k, seed)
    for wanted in LEVELS_READ:
        level = int((model.scheduler.alphas_cumprod - wanted).abs().argmin())
        alpha_bar = model.scheduler.alphas_cumprod[level]
        own, gone, wrong = (
            (*passed(model, photo, caption, level, seed), model.positions(caption, phrase))
            for photo, caption, phrase in (
                (drawn.photos, scene.caption, named),
                (without, scene.caption, named),
                (drawn.photos, other.caption, other.things[k].phrase),
            )
        )
        for name, reader in readers.items():
            maps, absent, told = (
                attention_of(reader.maps(tape, alpha_bar, text), words) for tape, text, words in (own, gone, wrong)
            )
            place = mean_of(centroid(above_floor(m)) for m in maps.values())
            yield (
                wanted,
                name,
                Told(
                    position=float((place - centroid(mask)).norm()),
                    size=float(mean_of(size(m) for m in maps.values())),
                    true_size=float(mask.mean()),
                    there=float(mean_of(presence(m) for m in maps.values())),
                    gone=float(mean_of(presence(m) for m in absent.values())),
                    colour=reader.colour(wrong[0], alpha_bar, told) == scene.things[k].colour,
                ),
            )


def columns(told: list[Told]) -> dict[str, float]:
    """The numbers of one reader at one level."""
    there, gone = np.array([t.there for t in told]), np.array([t.gone for t in told])
    ranks = [rankdata([getattr(t, name) for t in told]) for name in ("size", "true_size")]
    return {
        "position": float(np.median([t.position for t in told])),
        "size": float(np.corrcoef(*ranks)[0, 1]),
        "presence": float((there[:, None] > gone).mean() + 0.5 * (there[:, None] == gone).mean()),
        "colour": float(np.mean([t.colour for t in told])),
    }


@click.command()
@click.option("--heads", type=click.Path(path_type=Path), help="Their folder; default: the bundled ones.")
@click.option("--scenes", default=100, show_default=True, type=click.IntRange(2))
@click.option("--first-seed", default=FIRST_HELD_OUT_SEED, show_default=True, type=click.IntRange(FIRST_HELD_OUT_SEED))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(heads: Path | None, scenes: int, first_seed: int, json_path: Path | None) -> None:
    """Compare readout heads with attention."""
    model, folder = load_model(device="cpu"), heads or bundled_samples() / BUNDLED_HEADS
    linear, small = load_heads(folder, model), load_heads(folder / SMALL_HEADS, model)
    readers = {"attention": Reader(None, linear), "linear": Reader(linear, linear), "small": Reader(small, small)}
    found: dict[float, dict[str, list[Told]]] = {level: {name: [] for name in readers} for level in LEVELS_READ}
    for seed in track(range(first_seed, first_seed + scenes), description="reading"):
        frame = SIZES[seed % len(SIZES)]
        for level, name, told in seen_in(model, readers, sample_scene(seed, *frame), frame, seed):
            found[level][name].append(told)
    rows = {level: {name: columns(told) for name, told in each.items()} for level, each in found.items()}
    table = Table("alpha_bar", "read by", *next(iter(rows[LEVELS_READ[0]].values())))
    for level, each in rows.items():
        for name, numbers in each.items():
            table.add_row(f"{level:g}", name, *(f"{value:.3f}" for value in numbers.values()))
    Console().print(table)
    if json_path is not None:
        json_path.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
