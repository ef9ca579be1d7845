"""A pretrained latent diffusion model: encoding, decoding, prediction and schedules."""

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from inversion.clock import Clock
from inversion.errors import Notice
from inversion.families import ModelFamily
from inversion.finite import finite
from inversion.footprint import Memory
from inversion.interruption import may_stop
from inversion.metering import Meter, metered
from inversion.opened_model import OpenedModel
from inversion.recorded_layers import grouping_layers, recorded_sites
from inversion.schedule import Schedule
from inversion.spacing import most_steps, spaced
from inversion.taps import Sites, tap
from inversion.text import Embedder, Embedding, joined


class ResidualInputs(Protocol):
    """What is added to the U-Net's own activations (ControlNet, arXiv 2302.05543; also a mid-block port)."""

    def __call__(self, z: Tensor, t: int, texts: Embedding) -> Mapping[str, Any]:
        """For latents (rows, C, h, w) at the training timestep `t` under as many texts: values of the U-Net's arguments
        `down_block_additional_residuals` and `mid_block_additional_residual`."""
        ...


@dataclass(frozen=True, eq=False)
class DiffusionModel(OpenedModel):
    """A model, and what is computed with its networks, which are loaded when something is. Latents and embeddings that
    it is given and returns are on its `device`; photos may be on any."""

    clock: Clock = field(default_factory=Clock)
    meters: list[Meter] = field(default_factory=list)

    @contextmanager
    def _at_work(self, *wanted: Any) -> Iterator[None]:
        """Inside, some networks are on the device, without the others under `Memory.LEAN`, and time is counted."""
        with self.clock.running(self.device):
            if self.parts.memory is Memory.LEAN and not all(n.device == self.device for n in wanted):
                for network in self.networks:
                    network.to(self.device if network in wanted else "cpu")
            yield

    @cached_property
    def dtype(self) -> torch.dtype:
        """In which the U-Net computes; asked of the network, it is looked for in all its layers."""
        found: torch.dtype = self.unet.dtype
        return found

    @cached_property
    def sites(self) -> Sites:
        """The layers that are recorded."""
        return recorded_sites(self.unet)

    @cached_property
    def grouping_sites(self) -> tuple[str, ...]:
        """The self-attention layers that tell which places belong together."""
        return grouping_layers(self.unet, self.sites.attention, self.native_size // self.latent_factor)

    @torch.no_grad()
    def encode(self, photo: Tensor) -> Tensor:
        """Photo (1, 3, H, W) in [0, 1] to the mean of its latent (1, C, h, w).

        Raises:
            RealEditError: it is not finite.
        """
        with self._at_work(self.vae):
            latent = self.vae.encode(photo.to(self.device) * 2 - 1).latent_dist.mode()
        if self._moments is None:
            latent = latent * self.vae.config.scaling_factor
        else:
            mean, deviation = self._moments
            latent = (latent - mean) * self.vae.config.scaling_factor / deviation
        return finite(latent, f"the autoencoder of {self.name}")

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """Latent (1, C, h, w) to a photo (1, 3, H, W), clipped to [0, 1], on the model's device.

        Raises:
            RealEditError: it is not finite.
        """
        return self.picture(latent).clamp(0, 1)

    def picture(self, latent: Tensor) -> Tensor:
        """The same without clipping, with its gradient in the latent.

        Raises:
            RealEditError: it is not finite.
        """
        if self._moments is None:
            latent = latent / self.vae.config.scaling_factor
        else:
            mean, deviation = self._moments
            latent = latent * deviation / self.vae.config.scaling_factor + mean
        with self._at_work(self.vae):
            decoded = self.vae.decode(latent).sample
        return finite(decoded, f"the autoencoder of {self.name}") * 0.5 + 0.5

    def encoder_features(self, photo: Tensor) -> list[Tensor]:
        """The VAE encoder's feature maps (1, C, h, w) of a photo (1, 3, H, W) in [0, 1], one per level."""
        levels = range(len(self.vae.config.block_out_channels))
        with tap(self.vae, Sites(features=tuple(f"encoder.down_blocks.{i}" for i in levels))) as tape:
            self.encode(photo)
        return list(tape.features.values())

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor] | None:
        """The mean and the standard deviation (1, C, 1, 1) of the autoencoder's latents, where its configuration has
        them and the family's pipeline in diffusers uses them."""
        config = self.vae.config
        moments = [config.get(field) for field in ("latents_mean", "latents_std")]
        if self.family is not ModelFamily.TWO_TEXTS or None in moments:
            return None
        mean, deviation = (torch.tensor(values, device=self.device).view(1, -1, 1, 1) for values in moments)
        return mean, deviation

    def embed(self, prompt: str) -> Embedding:
        """The embedding (one text) of a prompt, padded or cut to the model's length as in diffusers' pipelines; a
        `Notice` names the part that is cut off."""
        unread = self.texts.unread(prompt)
        if unread:
            warnings.warn(Notice(f'the prompt is too long for the model, which does not read "{unread}"'), stacklevel=2)
        with self._at_work(*(e.network for e in self.texts.encoders)):
            embedding = self.texts.embed(prompt)
        finite(embedding.tokens, f"the text encoder of {self.name}")
        return embedding

    def embedded_by(self, embedder: Embedder, mark: str) -> "DiffusionModel":
        """The same model with prompts embedded by a function of the caller's, as for words that weigh more than others.
        `mark` says which: it becomes part of the fingerprint, so that nothing is reused that another one led to."""
        own = hashlib.sha256(f"{self.fingerprint} {mark}".encode()).hexdigest()[: len(self.fingerprint)]
        changed = self.with_parts(replace(self.parts, texts=self.texts.embedded_by(embedder)))
        return replace(changed, fingerprint=own)

    def unprompted(self) -> Embedding:
        """The default embedding (one text) of the unprompted row."""
        with self._at_work(*(e.network for e in self.texts.encoders)):
            return self.texts.unprompted()

    def positions(self, prompt: str, phrase: str) -> tuple[int, ...]:
        """The token positions of a phrase of the prompt; see `inversion.phrases`.

        Raises:
            PhraseError: the prompt does not contain the phrase exactly once, or it is cut off.
            ModelError: the tokenizers of the model disagree on the positions.
        """
        return self.texts.positions(prompt, phrase)

    def span_positions(self, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
        """The token positions of the characters [start, end) of a prompt.

        Raises:
            PhraseError: they are cut off.
            ModelError: the tokenizers of the model disagree on the positions.
        """
        return self.texts.span_positions(prompt, span)

    def predict(self, z: Tensor, t: int, rows: Sequence[Embedding], residuals: ResidualInputs | None = None) -> Tensor:
        """The network's output for each row's text at the training timestep `t`, float32 (rows, C, h, w).

        `z` is one latent (1, C, h, w) for all rows, or one for each; every embedding of `rows` is one text.
        `residuals`: what is added to the network's own activations."""
        may_stop()
        dtype, text = self.dtype, joined(rows)
        z = z.expand(len(rows), -1, -1, -1) if len(z) != len(rows) else z
        conditions = self.conditions(text, z)
        with self._at_work(self.unet):
            added = residuals(z, t, text) if residuals is not None else {}
            out = self.unet(
                z.to(dtype), t, encoder_hidden_states=text.tokens.to(dtype), added_cond_kwargs=conditions, **added
            )
        for meter in self.meters:
            meter.count(len(z), tracked=out.sample.requires_grad, twice=self.unet.is_gradient_checkpointing)
        return out.sample.float()

    def conditions(self, text: Embedding, z: Tensor) -> dict[str, Tensor] | None:
        """The further inputs of SDXL's U-Net: the pooled embedding, and the original size, crop offset and target size
        of an image that was not cropped (arXiv 2307.01952, section 2.2)."""
        if text.pooled is None:
            return None
        height, width = (side * self.latent_factor for side in z.shape[-2:])
        sizes = torch.tensor([[height, width, 0, 0, height, width]] * len(text), device=z.device)
        return {"text_embeds": text.pooled.to(self.dtype), "time_ids": sizes.to(self.dtype)}

    @property
    def most_steps(self) -> int:
        """The number of steps of the longest schedule."""
        return most_steps(self.scheduler)

    def schedule(self, steps: int) -> Schedule:
        """The DDIM schedule of `steps` steps, with the checkpoint's own spacing and offset.

        Raises:
            StepsError: `steps` is below 1 or above the number of training timesteps, or leads beyond them.
            ModelError: the network predicts the noise, and would begin where nothing but noise is.
        """
        return spaced(self.scheduler, steps, self.name)

    def metered(self) -> AbstractContextManager[Meter]:
        """Count every row that is predicted inside the block, with its gradient if it has one, and how long the
        networks work there."""
        return metered(self.meters, self.clock)
