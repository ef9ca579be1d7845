"""Linear and small heads that read properties of named objects off a decoder's features (Readout Guidance, Luo et al.,
arXiv 2312.02150): where the words of a prompt are, as a map for each, and what colour stands in a map."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.errors import ModelError
from inversion.model import DiffusionModel
from realedit.files.access import shown_name

READOUT_HEADER, READOUT_TENSORS = "readout.json", "readout.safetensors"
BROKEN = (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError, AttributeError)
GROUPS = 8  # of channels that are normalised together


@dataclass(frozen=True)
class ReadoutHeader:
    """Of which `model` (its fingerprint) heads read which modules (`channels` by name), how wide its texts are, which
    `colours` they tell, and whether they are `linear`."""

    model: str
    channels: Mapping[str, int]
    text_width: int
    colours: tuple[str, ...]
    linear: bool = False
    width: int = 96


class ReadoutHeads(nn.Module):
    """At each place x of the finest of the features f, the score of a word w is <A f(x), B e_w>, with e_w the text
    encoder's output for it. `linear`: A is a 1x1 convolution of each map, resized and summed; else each is normalised,
    the sum is told the noise level, and goes through one hidden layer."""

    def __init__(self, header: ReadoutHeader) -> None:
        super().__init__()
        self.header, width = header, header.width
        self.bottlenecks = nn.ModuleList(nn.Conv2d(count, width, 1) for count in header.channels.values())
        norms = (nn.GroupNorm(math.gcd(GROUPS, count), count) for count in header.channels.values())
        self.norms = nn.ModuleList() if header.linear else nn.ModuleList(norms)
        levels = nn.Sequential(nn.Linear(2, width), nn.SiLU(), nn.Linear(width, width))
        mixing = nn.Sequential(nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1))
        self.levels = nn.Sequential() if header.linear else levels
        self.mixing = nn.Sequential() if header.linear else mixing
        self.words = nn.Linear(header.text_width, width)
        self.bias = nn.Linear(header.text_width, 1)
        self.colour = nn.Linear(width, len(header.colours))

    @property
    def sites(self) -> tuple[str, ...]:
        """The modules whose feature maps are read."""
        return tuple(self.header.channels)

    def hidden(self, features: Mapping[str, Tensor], alpha_bar: Tensor) -> Tensor:
        """A f, (B, width, h, w), of the feature maps (B, C, h, w) at the levels `alpha_bar`, a number or (B,)."""
        maps = [features[name].float() for name in self.sites]
        finest = max((each.shape[-2:] for each in maps), key=lambda size: size[0] * size[1])
        if not self.header.linear:
            maps = [norm(each) for norm, each in zip(self.norms, maps, strict=True)]
        parts = [reduce(each) for reduce, each in zip(self.bottlenecks, maps, strict=True)]
        total = torch.stack([F.interpolate(part, finest, mode="bilinear", align_corners=False) for part in parts]).sum(
            0
        )
        if self.header.linear:
            return total
        level = alpha_bar.to(total).reshape(-1, 1)
        told = self.levels(torch.cat((level.sqrt(), (1 - level).clamp(min=0).sqrt()), 1))
        return self.mixing(total + told[..., None, None])

    def scores(self, hidden: Tensor, text: Tensor) -> Tensor:
        """(B, tokens, h, w), of which the sigmoid is the probability that a word's object is at a place; `text`
        (B or 1, tokens, E) are the text encoder's outputs."""
        words, bias = self.words(text), self.bias(text)[..., None]
        found = torch.einsum("bdhw,btd->bthw", hidden, words.expand(len(hidden), -1, -1)) / self.header.width**0.5
        return found + bias

    def maps(self, features: Mapping[str, Tensor], alpha_bar: Tensor, text: Tensor) -> Tensor:
        """Those probabilities, (B, tokens, h, w)."""
        return self.scores(self.hidden(features, alpha_bar), text).sigmoid()

    def colours(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Scores (B, colours), of which the softmax is the probability that what is in a soft mask (B, h, w) has a
        colour: linear in the mean of A f over the mask."""
        weight = mask[:, None]
        mean = (hidden * weight).sum((-2, -1)) / weight.sum((-2, -1)).clamp(min=1e-6)
        return self.colour(mean)

    def save(self, folder: Path) -> None:
        """Write both files, the tensors in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.half().contiguous().cpu() for name, value in self.state_dict().items()}
        save_file(tensors, folder / READOUT_TENSORS)
        (folder / READOUT_HEADER).write_text(json.dumps(asdict(self.header), indent=2) + "\n", encoding="utf-8")


def decoder_sites(unet: Any) -> dict[str, int]:
    """The outputs of all residual blocks of a U-Net's decoder, and how many channels each has."""
    return {
        name: module.out_channels
        for name, module in unet.named_modules()
        if name.startswith("up_blocks.") and ".resnets." in name and name.count(".") == 3
    }


def new_heads(model: DiffusionModel, colours: Sequence[str], *, linear: bool = False) -> ReadoutHeads:
    """Untrained heads of a model."""
    width = model.unprompted().tokens.shape[-1]
    return ReadoutHeads(ReadoutHeader(model.fingerprint, decoder_sites(model.unet), width, tuple(colours), linear))


def load_heads(folder: Path, model: DiffusionModel) -> ReadoutHeads:
    """The heads in a folder, on a model's device.

    Raises:
        ModelError: there are none, they are damaged, or they read another model's features.
    """
    try:
        told = json.loads((folder / READOUT_HEADER).read_text(encoding="utf-8"))
        found = ReadoutHeads(ReadoutHeader(**{**told, "colours": tuple(told["colours"])}))
        found.load_state_dict(load_file(folder / READOUT_TENSORS))
    except BROKEN as error:
        raise ModelError(
            f"{shown_name(folder)} holds no readout heads: {READOUT_HEADER} and {READOUT_TENSORS} are expected there"
        ) from error
    if found.header.model != model.fingerprint:
        raise ModelError(
            f"the readout heads {shown_name(folder)} read features of another model ({found.header.model}) than "
            f"{model.name} ({model.fingerprint})"
        )
    return found.to(model.device).eval().requires_grad_(False)
