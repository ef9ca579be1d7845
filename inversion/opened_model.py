"""A model before its networks are loaded, and after."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import torch

from inversion.families import ModelFamily
from inversion.parts import Parts, Sizes
from inversion.picture_classifier import PictureClassifier
from inversion.text import TextEncoders


@dataclass(frozen=True, eq=False)
class OpenedModel:
    """A model of which all is known that is told without its networks; these are loaded when they are first asked for.

    `name` is what the user called it, `fingerprint` (16 hex digits) identifies its weights. `load` gives its parts, on
    its `device`. `pictures`: tells what it can have drawn, None where nothing does.
    """

    name: str
    fingerprint: str
    sizes: Sizes
    load: Callable[[], Parts]
    device: torch.device
    pictures: PictureClassifier | None = None

    @cached_property
    def parts(self) -> Parts:
        """Its networks and its sampler, loaded when they are first asked for.

        Raises:
            ModelError: they are damaged.
        """
        return self.load()

    @property
    def is_loaded(self) -> bool:
        """Whether its parts are in memory."""
        return "parts" in vars(self)

    def with_parts(self, parts: Parts) -> Self:
        """The same model with other parts."""
        return replace(self, sizes=parts.sizes, load=lambda: parts)

    @property
    def vae(self) -> Any:
        """The autoencoder."""
        return self.parts.vae

    @property
    def texts(self) -> TextEncoders:
        """What reads words."""
        return self.parts.texts

    @property
    def unet(self) -> Any:
        """The network that predicts noise, or v."""
        return self.parts.unet

    @property
    def scheduler(self) -> Any:
        """The DDIM scheduler of diffusers that has its noise levels."""
        return self.parts.scheduler

    @property
    def networks(self) -> tuple[Any, ...]:
        """The U-Net, the VAE and the text encoders."""
        return self.parts.networks

    @property
    def family(self) -> ModelFamily:
        """The family that it belongs to."""
        return (ModelFamily.NO_TEXT, ModelFamily.ONE_TEXT, ModelFamily.TWO_TEXTS)[len(self.texts.encoders)]

    @property
    def latent_factor(self) -> int:
        """Photo pixels per latent cell."""
        return self.sizes.latent_factor

    @property
    def pixel_multiple(self) -> int:
        """Photo sides must be multiples of this, so that every map of the U-Net has whole cells."""
        return self.sizes.pixel_multiple

    @property
    def native_size(self) -> int:
        """The side of the square photos that the model was trained on, in pixels."""
        return self.sizes.native_size
