"""What a model is made of: its sizes, which its configuration says, and its networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from inversion.footprint import Memory
from inversion.text import TextEncoders


@dataclass(frozen=True)
class Sizes:
    """Of a model: `latent_factor`, photo pixels per latent cell; `pixel_multiple`, of which photo sides must be
    multiples, so that every map of the U-Net has whole cells; and `native_size`, the side of the square photos that it
    was trained on, in pixels."""

    latent_factor: int
    pixel_multiple: int
    native_size: int

    @staticmethod
    def told_by(unet: Mapping[str, Any], vae: Mapping[str, Any]) -> bool:
        """Whether configurations of U-Net and autoencoder say them."""
        return "block_out_channels" in unet and "block_out_channels" in vae

    @classmethod
    def of(cls, unet: Mapping[str, Any], vae: Mapping[str, Any]) -> Self:
        """Those that the configurations of U-Net and autoencoder say."""
        factor, side = 2 ** (len(vae["block_out_channels"]) - 1), unet["sample_size"]
        native = side if isinstance(side, int) else min(side)
        return cls(factor, factor * 2 ** (len(unet["block_out_channels"]) - 1), factor * native)


@dataclass(frozen=True, eq=False)
class Parts:
    """The frozen networks of a model and its sampler. `memory` decides whether networks that are not in use stay on
    the device."""

    vae: Any
    texts: TextEncoders
    unet: Any
    scheduler: Any
    memory: Memory = Memory.FAST

    @property
    def sizes(self) -> Sizes:
        """Those of its networks."""
        return Sizes.of(self.unet.config, self.vae.config)

    @property
    def networks(self) -> tuple[Any, ...]:
        """The U-Net, the VAE and the text encoders."""
        return (self.unet, self.vae, *(e.network for e in self.texts.encoders))
