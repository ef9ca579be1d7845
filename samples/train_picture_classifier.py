"""Train the small network that tells, before the bundled model is loaded, that a photo cannot be one of its pictures.

    python -m samples.train_picture_classifier SCENES PHOTOS RUN --steps 2000

SCENES are shards of rendered scenes (`samples.dataset`); PHOTOS a folder of any other pictures, such as `skimage/data`
of an installed scikit-image. Writes RUN/pictures.safetensors, prints how held-out scenes score, and resumes when run
again.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import click
import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.picture_classifier import SEEN_SIDE, PictureClassifier
from realedit.files.reading import load_photo
from realedit.images import resize
from samples.dataset import read_shards
from samples.training import Average, Run, learning_rate

BATCH, PEAK_RATE = 32, 2e-3  # pictures of each kind
KEPT_SIDE = 2 * SEEN_SIDE  # of scenes, from which they are cropped
CROPS = 6000  # of other pictures, made once
SMALLEST_SCENE, SMALLEST_PHOTO = 0.35, 0.15  # of the sides of what they are cropped from
MADE_UP = 0.2  # of other pictures are noise of all spectra or shapes over each other, and no photos
SET_DOWN = 0.35  # of other pictures are parts of photos on plain grounds, as things before skies and walls
SEEN_ALONE = 10  # every so many shards of scenes tell the scores, and train nothing
ROOM = 2.0  # how far below the least of their scores a picture is still taken for one of the model's


def cropped(picture: Tensor, least: float, rng: random.Random) -> Tensor:
    """A part (1, 3, side, side) of a picture (1, 3, h, w), whose sides are this share of its and more, or its mirror
    image."""
    height, width = picture.shape[-2:]
    high, wide = (max(8, round(side * rng.uniform(least, 1))) for side in (height, width))
    top, left = rng.randint(0, height - high), rng.randint(0, width - wide)
    part = resize(picture[..., top : top + high, left : left + wide], (SEEN_SIDE, SEEN_SIDE))
    return part.flip(-1) if rng.random() < 0.5 else part


def disturbed(picture: Tensor, rng: random.Random) -> Tensor:
    """A picture in other light, with grain."""
    gain = torch.tensor([rng.uniform(0.85, 1.15) for _ in range(3)]).view(1, 3, 1, 1)
    grain = rng.choice((0.0, 0.0, 0.02)) * torch.randn(picture.shape)
    return (picture * gain + grain).clamp(0, 1)


def recoloured(picture: Tensor, rng: random.Random) -> Tensor:
    """A picture with its channels exchanged and other contrast."""
    mixed = picture[:, rng.sample(range(3), 3)].clamp(min=1e-4) ** rng.uniform(0.5, 2)
    return (mixed * rng.uniform(0.6, 1.3) + rng.uniform(-0.15, 0.15)).clamp(0, 1)


def made_up(rng: random.Random) -> Tensor:
    """A picture (1, 3, side, side) of nothing: noise whose power falls with frequency, or discs over each other."""
    colour = torch.tensor([rng.random() for _ in range(3)]).view(1, 3, 1, 1)
    if rng.random() < 0.5:
        frequency = torch.fft.fftfreq(SEEN_SIDE)
        radius = (frequency[:, None].square() + frequency.square()).sqrt().clamp(min=1 / SEEN_SIDE)
        noise = torch.fft.ifft2(torch.fft.fft2(torch.randn(1, 3, *radius.shape)) / radius ** rng.uniform(0.7, 2)).real
        return (colour + rng.uniform(0.05, 0.25) * noise / noise.std()).clamp(0, 1)
    picture, place = colour.expand(1, 3, SEEN_SIDE, SEEN_SIDE).clone(), torch.arange(float(SEEN_SIDE))
    for _ in range(rng.randint(20, 200)):
        across, down = ((place - rng.uniform(0, SEEN_SIDE)) / rng.uniform(1, 20) for _ in range(2))
        picture[0, :, down.square()[:, None] + across.square() < 1] = torch.rand(3, 1)
    return picture


def set_down(photos: Sequence[Tensor], rng: random.Random) -> Tensor:
    """Parts of photos on what is left of another one when it is blurred, darker or lighter towards one side."""
    side, place = SEEN_SIDE, torch.linspace(0, 1, SEEN_SIDE)
    ground = cropped(rng.choice(photos), SMALLEST_PHOTO, rng)
    few = rng.choice((1, 2, 4, 8))
    picture = F.interpolate(F.adaptive_avg_pool2d(ground, few), (side, side), mode="bicubic").clamp(0, 1)
    picture = (picture + rng.uniform(-0.3, 0.3) * (place[:, None] - 0.5)).clamp(0, 1)
    for _ in range(rng.randint(1, 3)):
        thing = recoloured(cropped(rng.choice(photos), SMALLEST_PHOTO, rng), rng)
        across, down = ((place - rng.uniform(0.2, 0.8)) / rng.uniform(0.08, 0.4) for _ in range(2))
        inside = (1 - down.square()[:, None] - across.square()) * rng.uniform(3, 20)
        picture = torch.lerp(picture, thing, inside.clamp(0, 1))
    return picture


def others(photos: Sequence[Tensor], rng: random.Random) -> Tensor:
    """Pictures (n, 3, side, side) that are no scenes."""
    found = []
    for _ in range(CROPS):
        kind = rng.random()
        if kind < MADE_UP:
            found.append(made_up(rng))
        elif kind < MADE_UP + SET_DOWN:
            found.append(set_down(photos, rng))
        else:
            photo = cropped(rng.choice(photos), SMALLEST_PHOTO, rng)
            found.append(recoloured(photo, rng) if rng.random() < 0.5 else photo)
    return torch.cat(found)


def photos_in(folder: Path) -> list[Tensor]:
    """The pictures (1, 3, h, w) of a folder that are large enough."""
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".jpg", ".png"))
    found = [load_photo(path) for path in paths]
    return [photo.colours.to_srgb(photo.tensor()) for photo in found if min(photo.size) >= 4 * SEEN_SIDE]


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("photos", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=2000, show_default=True)
def main(scenes: Path, photos: Path, run_directory: Path, steps: int) -> None:
    """Train on rendered SCENES and PHOTOS, keep the run in RUN_DIRECTORY."""
    rng = random.Random(0)
    torch.manual_seed(0)
    shards = [F.interpolate(s.photos / 255, (KEPT_SIDE, KEPT_SIDE), mode="area") for s in read_shards(scenes)]
    seen = torch.cat([shard for k, shard in enumerate(shards) if k % SEEN_ALONE])
    other, classifier = others(photos_in(photos), rng), PictureClassifier()
    optimiser = torch.optim.AdamW(classifier.parameters(), PEAK_RATE, weight_decay=0.01)
    average = Average(classifier, 0.99)
    run = Run(run_directory, {"classifier": classifier, "optimiser": optimiser, "average": average}, steps)
    for step in run.remaining():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, PEAK_RATE)
        pairs = [(seen, SMALLEST_SCENE), (other, 0.8)]
        chosen = [(rng.choice(pictures)[None], least) for pictures, least in pairs for _ in range(BATCH)]
        scores = classifier(torch.cat([disturbed(cropped(picture, least, rng), rng) for picture, least in chosen]))
        loss = F.binary_cross_entropy_with_logits(scores, (torch.arange(2 * BATCH) < BATCH).float())
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        average.update(classifier, step)
        if step % 50 == 0:
            run.log(loss=loss)
    kept = average.module
    kept.load_state_dict({**classifier.state_dict(), **dict(kept.named_parameters())})  # with the statistics of now
    with torch.no_grad():
        alone = [cropped(picture[None], SMALLEST_SCENE, rng) for shard in shards[::SEEN_ALONE] for picture in shard]
        scores = torch.cat([kept.eval()(picture) for picture in alone])
    kept.least.fill_(float(scores.min()) - ROOM)
    kept.save(run_directory)
    print(
        f"held-out scenes score {scores.min():.1f} and more, {scores.median():.1f} in the median; {kept.least:.1f} may"
    )


if __name__ == "__main__":
    main()
