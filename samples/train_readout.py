"""Train the readout heads of the bundled model: where the words of a caption are, and what colour is there, off the
features of its decoder.

    python -m samples.train_readout SCENES RUN --steps 640

Writes RUN/readout (the linear heads), RUN/readout/small and RUN/losses.jsonl, and resumes when run again. The model
stays as it is; both kinds of heads learn from the same passes through it. Of the captions some say another colour of
an object, so that colours are read off the latent and not off the words, and some are those of other scenes, so that
nothing is found that is not there.
"""

import random
from dataclasses import dataclass, replace
from pathlib import Path

import click
import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.loading import load_model
from inversion.model import DiffusionModel
from inversion.taps import Sites, tap
from realedit.methods.readout_heads import ReadoutHeads, decoder_sites, new_heads
from samples.dataset import read_shards, shard_scenes
from samples.examples import encode_shard
from samples.renderer import MAX_THINGS
from samples.scenes import COLOURS, Scene, with_article
from samples.shapes import SHAPES
from samples.training import Average, Run, learning_rate
from samples.words import phrase_tokens, token_ids

READOUT_BATCH, READOUT_RATE = 16, 4e-3
CAPTIONS = ((0, 0.6), (1, 0.2), (2, 0.2))  # its own, with another colour, of another scene; and how often
COLOUR_LOSS = 0.2  # what the colours weigh beside the maps
SMALL_HEADS = "small"  # their folder, in that of the linear ones
LEAST_SEEN = 4.0  # cells: objects of which less is seen teach no colour


@dataclass(frozen=True, eq=False)
class Labelled:
    """Scenes of one size: latents (n, 2, 4, h, w) of photos and mirror images, masks (n, K, h, w) uint8; of two
    captions, its own and one with another colour, the texts (n, 2, T, E) and which tokens name which object (n, 2, K,
    T); of each object the numbers of its colour and shape (n, K), -1: none."""

    latents: Tensor
    masks: Tensor
    texts: Tensor
    words: Tensor
    colours: Tensor
    shapes: Tensor


def numbers(scenes: list[Scene], kinds: list[str], name: str) -> Tensor:
    """Which of the kinds each object is, (n, K); -1: there is none."""
    rows = [[kinds.index(getattr(thing, name)) for thing in scene.things] for scene in scenes]
    return torch.tensor([row + [-1] * (MAX_THINGS - len(row)) for row in rows])


def misnamed(scene: Scene, rng: random.Random) -> Scene:
    """The scene with one object said to have a colour that nothing there has."""
    if not scene.things:
        return scene
    k = rng.randrange(len(scene.things))
    other = rng.choice([c for c in COLOURS if c not in {t.colour for t in scene.things}])
    said, named = scene.recoloured(k, other), scene.things[k].phrase
    caption = scene.caption.replace(with_article(named), with_article(said.things[k].phrase))
    return replace(said, caption=caption)


@torch.no_grad()
def labelled(scenes: Path, model: DiffusionModel, latents: Path) -> list[Labelled]:
    """All scenes of a folder, those of a size together."""
    tokenizer, network = model.texts.encoders[0].tokenizer, model.texts.encoders[0].network
    sizes: dict[torch.Size, list[tuple[Tensor, ...]]] = {}
    for shard in read_shards(scenes):
        own = shard_scenes(shard.index)
        rng = random.Random(shard.index)
        both = [own, [misnamed(scene, rng) for scene in own]]
        texts = [network(token_ids(tokenizer, [s.caption for s in each])).last_hidden_state for each in both]
        words = [phrase_tokens(tokenizer, each, MAX_THINGS) for each in both]
        seen = encode_shard(shard, model.vae, latents / f"{shard.index:05d}.safetensors").transpose(0, 1)
        row = (seen, shard.masks, torch.stack(texts, 1), torch.stack(words, 1))
        told = (numbers(own, list(COLOURS), "colour"), numbers(own, list(SHAPES), "shape"))
        sizes.setdefault(seen.shape[-2:], []).append((*row, *told))
    return [Labelled(*(torch.cat(parts) for parts in zip(*rows, strict=True))) for rows in sizes.values()]


@dataclass(frozen=True, eq=False)
class ReadoutBatch:
    """Latents (B, 4, h, w), masks (B, K, h, w) in [0, 1], the texts (B, T, E) that the model is given, the maps that
    their tokens shall have, (B, T, h, w), which tokens have one (B, T), and the objects' colours (B, K)."""

    latents: Tensor
    masks: Tensor
    texts: Tensor
    targets: Tensor
    taught: Tensor
    colours: Tensor


def draw(by_size: list[Labelled], count: int, rng: random.Random) -> ReadoutBatch:
    """So many rows of one size."""
    (chosen,) = rng.choices(by_size, weights=[len(e.latents) for e in by_size])
    rows = torch.tensor([rng.randrange(len(chosen.latents)) for _ in range(count)])
    others = torch.tensor([rng.randrange(len(chosen.latents)) for _ in range(count)])
    kinds, shares = zip(*CAPTIONS, strict=True)
    kind = torch.tensor(rng.choices(kinds, weights=shares, k=count))
    mirrored = torch.tensor([rng.random() < 0.5 for _ in range(count)])
    masks = chosen.masks[rows].float() / 255
    masks = torch.where(mirrored[:, None, None, None], masks.flip(-1), masks)
    foreign = kind == CAPTIONS[2][0]
    from_rows, variant = torch.where(foreign, others, rows), kind.clamp(max=1) * ~foreign
    words = chosen.words[from_rows, variant]  # (B, K, T)
    # Of another scene's objects those teach that they are not there of which neither colour nor kind is.
    alike = torch.zeros(count, MAX_THINGS, dtype=torch.bool)
    for told in (chosen.colours, chosen.shapes):
        alike |= (told[others][:, :, None] == told[rows][:, None, :]).any(-1)
    words = words & ~(foreign[:, None] & alike)[..., None]
    targets = torch.einsum("bkt,bkhw->bthw", words.float(), masks * ~foreign[:, None, None, None])
    return ReadoutBatch(
        chosen.latents[rows, mirrored.long()].float(),
        masks,
        chosen.texts[from_rows, variant],
        targets.clamp(max=1),
        words.any(1),
        chosen.colours[rows],
    )


def map_loss(scores: Tensor, batch: ReadoutBatch) -> Tensor:
    """Cross-entropy of the taught tokens' maps, over all their places."""
    errors = F.binary_cross_entropy_with_logits(scores[batch.taught], batch.targets[batch.taught], reduction="none")
    return errors.mean((-2, -1)).sum() / batch.taught.sum().clamp(min=1)


def colour_loss(heads: ReadoutHeads, hidden: Tensor, batch: ReadoutBatch) -> Tensor:
    """Cross-entropy of the colours inside the true masks."""
    seen = (batch.colours >= 0) & (batch.masks.sum((-2, -1)) >= LEAST_SEEN)
    row, k = seen.nonzero(as_tuple=True)
    scores = heads.colours(hidden[row], batch.masks[row, k])
    return F.cross_entropy(scores, batch.colours[row, k], reduction="sum") / max(1, len(row))


@torch.no_grad()
def noised_features(model: DiffusionModel, batch: ReadoutBatch, levels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What the decoder gives out for the batch, one level from each of as many equal slices of the schedule; and
    alpha_bar (B,)."""
    count = len(batch.latents)
    t = ((torch.randperm(count) + torch.rand(count)) / count * len(levels)).long()
    level = levels[t].view(-1, 1, 1, 1)
    noisy = level.sqrt() * batch.latents + (1 - level).sqrt() * torch.randn_like(batch.latents)
    with tap(model.unet, Sites(features=tuple(decoder_sites(model.unet)))) as tape:
        model.unet(noisy, t, encoder_hidden_states=batch.texts)
    return dict(tape.features), levels[t]


class BothKinds(torch.nn.Module):
    """The small heads and the linear ones, as one module for optimiser and average."""

    def __init__(self, small: ReadoutHeads, linear: ReadoutHeads) -> None:
        super().__init__()
        self.small, self.linear = small, linear


@click.command()
@click.argument("scenes", type=click.Path(path_type=Path))
@click.argument("run_directory", type=click.Path(path_type=Path))
@click.option("--steps", default=640, show_default=True)
@click.option("--latents", type=click.Path(path_type=Path), help="Where latents are kept; default: in the run.")
def main(scenes: Path, run_directory: Path, steps: int, latents: Path | None) -> None:
    """Train on the rendered SCENES, keep the run in RUN_DIRECTORY."""
    model = load_model(device="cpu")
    examples = labelled(scenes, model, latents or run_directory / "latents")
    torch.manual_seed(0)
    both = BothKinds(new_heads(model, list(COLOURS)), new_heads(model, list(COLOURS), linear=True))
    optimiser = torch.optim.AdamW(both.parameters(), READOUT_RATE, weight_decay=0.01, betas=(0.9, 0.99))
    average = Average(both, 0.99)

    def save() -> None:
        average.module.linear.save(run_directory / "readout")
        average.module.small.save(run_directory / "readout" / SMALL_HEADS)

    run = Run(run_directory, {"heads": both, "optimiser": optimiser, "average": average}, steps, save)
    for step in run.remaining():
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, READOUT_RATE)
        batch = draw(examples, READOUT_BATCH, random.Random(step))
        features, alpha_bar = noised_features(model, batch, model.scheduler.alphas_cumprod)
        total, told = torch.zeros(()), dict[str, Tensor]()
        for name, heads in (("small", both.small), ("linear", both.linear)):
            hidden = heads.hidden(features, alpha_bar)
            maps, colours = map_loss(heads.scores(hidden, batch.texts), batch), colour_loss(heads, hidden, batch)
            total = total + maps + COLOUR_LOSS * colours
            told |= {f"{name}_maps": maps, f"{name}_colours": colours}
        total.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(both, step)
        if step % 20 == 0:
            run.log(**told)


if __name__ == "__main__":
    main()
