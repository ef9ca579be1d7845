"""Training scenes as the U-Net learns from them: latents, masks and tokens, all on the device that trains."""

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTokenizer

from samples.dataset import Shard, read_shards, shard_scenes
from samples.renderer import MAX_THINGS
from samples.words import phrase_tokens, token_ids

READERS = 8  # processes that turn captions into tokens


@dataclass(frozen=True, eq=False)
class Examples:
    """Scenes of one size ready for training; latents of the photos and of their mirror images."""

    latents: Tensor  # (n, 2, 4, h, w) half precision
    masks: Tensor  # (n, K, h, w) uint8
    tokens: Tensor  # (n, T)
    words: Tensor  # (n, K, T) bool


@torch.no_grad()
def encode_shard(shard: Shard, vae: AutoencoderKL, path: Path) -> Tensor:
    """Latents of a shard, computed once and kept in `path`."""
    if path.exists():
        return load_file(path)["latents"]
    rows = []
    for photos in (shard.photos, shard.photos.flip(-1)):
        parts = [vae.encode(p.to(vae.device).float() / 127.5 - 1).latent_dist.mode() for p in photos.split(20)]
        rows.append(torch.cat(parts).cpu() * vae.config.scaling_factor)
    latents = torch.stack(rows).half().contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"latents": latents}, path)
    return latents


def read_captions(tokenizer: CLIPTokenizer, index: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The tokens of a shard's captions, and which of them name which object, in arrays that processes can pass on."""
    scenes = shard_scenes(index)
    words = phrase_tokens(tokenizer, scenes, MAX_THINGS)
    return token_ids(tokenizer, [s.caption for s in scenes]).numpy(), words.numpy()


def read_examples(
    scenes: Path, vae: AutoencoderKL, tokenizer: CLIPTokenizer, latents: Path, device: torch.device
) -> list[Examples]:
    """All scenes on the device, those of a size together; latents are kept in a folder."""
    shards = list(read_shards(scenes))
    with ProcessPoolExecutor(READERS) as pool:
        captions = list(pool.map(partial(read_captions, tokenizer), [shard.index for shard in shards]))
    sizes: dict[torch.Size, list[tuple[Tensor, ...]]] = {}
    for shard, (tokens, words) in zip(shards, captions, strict=True):
        seen = encode_shard(shard, vae, latents / f"{shard.index:05d}.safetensors")
        row = (seen.transpose(0, 1), shard.masks, torch.from_numpy(tokens), torch.from_numpy(words))
        sizes.setdefault(seen.shape[-2:], []).append(row)
    return [Examples(*(torch.cat(parts).to(device) for parts in zip(*rows, strict=True))) for rows in sizes.values()]


def draw_batch(by_size: list[Examples], count: int, rng: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`count` rows of one size: latents, masks in [0, 1], tokens, words."""
    (chosen,) = rng.choices(by_size, weights=[len(e.tokens) for e in by_size])
    rows = torch.tensor([rng.randrange(len(chosen.tokens)) for _ in range(count)], device=chosen.tokens.device)
    mirrored = torch.tensor([rng.random() < 0.5 for _ in range(count)], device=chosen.tokens.device)
    latents = chosen.latents[rows, mirrored.long()].float()
    masks = chosen.masks[rows].float() / 255
    masks = torch.where(mirrored[:, None, None, None], masks.flip(-1), masks)
    return latents, masks, chosen.tokens[rows], chosen.words[rows]
