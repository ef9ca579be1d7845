"""What tells the structure and the look of a picture, with gradients."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.taps import Sites, tap


class PictureDescriptor(Protocol):
    """A network that sees pictures."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Of a picture (1, 3, H, W), about within [0, 1], what each of its n places shows, (n, C), and what all of it
        shows, (1, D)."""


@dataclass(frozen=True, eq=False)
class EncoderDescriptor:
    """The autoencoder's own encoder, where there is no better one: its deepest features, place by place, and the mean
    and spread of each over all places. It knows edges and textures, and no things."""

    model: DiffusionModel
    name: str = "the autoencoder's features"

    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """See `PictureDescriptor`."""
        vae = self.model.vae
        last = f"encoder.down_blocks.{len(vae.config.block_out_channels) - 1}"
        with tap(vae, Sites(features=(last,))) as tape:
            vae.encode(picture.to(self.model.device) * 2 - 1)
        places = tape.features[last][0].flatten(1).T.float()
        return places - places.mean(0), torch.cat((places.mean(0), places.std(0)))[None]
