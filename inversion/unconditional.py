"""Models of pixels that no words guide: a `UNet2DModel` in the layout of diffusers' `DDPMPipeline` (Ho et al., arXiv
2006.11239), with what a model has beside its U-Net: an autoencoder that changes nothing, and texts that say nothing."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import UNet2DModel
from diffusers.configuration_utils import FrozenDict
from torch import Tensor, nn

from inversion.errors import ModelError, PhraseError
from inversion.libraries import told_in_one_line
from inversion.text import Embedding, TextEncoders
from inversion.weights import ModelSource, variant_of, weights_in

COLOURS = 3  # channels of a picture
PART = "unet"


class UnguidedUNet(UNet2DModel):  # type: ignore[misc]
    """A `UNet2DModel` that is called as one with texts is, and reads none."""

    def forward(
        self, sample: Tensor, timestep: Any, encoder_hidden_states: Any = None, added_cond_kwargs: Any = None
    ) -> Any:
        return super().forward(sample, timestep)


class Pixels(nn.Module):
    """In the place of an autoencoder: a picture is its own latent."""

    dtype = torch.float32
    place: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.config = FrozenDict(block_out_channels=(1,), scaling_factor=1.0, latent_channels=COLOURS)
        self.register_buffer("place", torch.zeros(()))

    @property
    def device(self) -> torch.device:
        return self.place.device

    def encode(self, photo: Tensor) -> Any:
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: photo))

    def decode(self, latent: Tensor) -> Any:
        return SimpleNamespace(sample=latent)


@dataclass(frozen=True, eq=False)
class NoTexts(TextEncoders):
    """In the place of text encoders: every prompt is the same, and names nothing."""

    encoders: tuple[Any, ...] = ()

    def embed(self, prompt: str) -> Embedding:
        return Embedding(torch.zeros(1, 1, 1))

    def unprompted(self) -> Embedding:
        return self.embed("")

    @property
    def kind(self) -> str:
        return "models without words"

    def length(self, prompt: str) -> int:
        return 1

    def unread(self, prompt: str) -> str:
        return ""

    def span_positions(self, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
        raise PhraseError(f'no words guide this model, so it cannot find "{prompt[slice(*span)]}"; use another --model')


def unconditional_parts(folder: Path, source: ModelSource, kind: torch.dtype) -> tuple[dict[str, Any], list[Path]]:
    """Its network, autoencoder and texts, on the CPU, the network in a type; and the files of the weights.

    Raises:
        ModelError: it is damaged, or draws no colour pictures of a known size.
    """
    names = [path.name for path in (folder / PART).glob("*") if path.is_file()]
    variant = variant_of(names, source, PART)
    with told_in_one_line(source.name, folder):
        network, seen = UnguidedUNet.from_pretrained(
            folder,
            subfolder=PART,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            torch_dtype=kind,
            output_loading_info=True,
        )
    _check(network, seen, source.name)
    return {"unet": network, "vae": Pixels(), "texts": NoTexts()}, [
        folder / PART / n for n in weights_in(names, variant)
    ]


def _check(network: Any, seen: dict[str, Any], name: str) -> None:
    config = network.config
    if (config.in_channels, config.out_channels) != (COLOURS, COLOURS):
        raise ModelError(
            f'"{name}" has a U-Net of {config.in_channels} channels to {config.out_channels}, expected {COLOURS} of '
            "each: a model of colour pictures that predicts their noise"
        )
    if not isinstance(config.sample_size, int | list | tuple):
        raise ModelError(f'"{name}" does not say at which size it was trained: sample_size in unet/config.json')
    if seen["missing_keys"] or seen["mismatched_keys"]:
        raise ModelError(f'"{name}": tensors of its unet are missing or of another shape; fetch the model again')
