"""A pretrained latent diffusion model, ready to be looked into. The only file that knows diffusers
and transformers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inversion.errors import ModelError
from inversion.phrases import span_positions, token_positions
from inversion.schedule import Parameterisation, Schedule
from inversion.taps import Sites, tap
from inversion.weights import BUNDLED, find_weights, fingerprint, refuse_pickles

WITH_WEIGHTS = ("vae", "text_encoder", "unet")
BACKWARD_COST = 1.08  # of a forward pass, with frozen weights (counted on Stable Diffusion 1.5)


@dataclass(frozen=True, eq=False)
class Embedding:
    """An encoded prompt: `tokens` (1, T, D), and what else a U-Net wants (SDXL: pooled text, sizes)."""

    tokens: Tensor
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    def with_tokens(self, tokens: Tensor) -> "Embedding":
        return Embedding(tokens, self.extra)


@dataclass(eq=False)
class Meter:
    """Network evaluations in forward-equivalents: one U-Net row forward is 1."""

    forward_equivalents: float = 0.0


@dataclass(frozen=True, eq=False)
class DiffusionModel:
    """The networks, frozen, with the few questions this package asks of them.

    `name` is what the user called the model, `fingerprint` identifies its files.
    """

    name: str
    fingerprint: str
    vae: Any
    text_encoder: Any
    tokenizer: Any
    unet: Any
    scheduler: Any

    @property
    def device(self) -> torch.device:
        return self.unet.device

    @property
    def latent_factor(self) -> int:
        """Photo pixels per latent cell."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def pixel_multiple(self) -> int:
        """Photo sides must be multiples of this, so that every map of the U-Net has whole cells."""
        return self.latent_factor * 2 ** (len(self.unet.config.block_out_channels) - 1)

    @property
    def native_size(self) -> int:
        """The side of the square photos that the model was trained on, in pixels."""
        size = self.unet.config.sample_size
        return self.latent_factor * (size if isinstance(size, int) else min(size))

    @property
    def sites(self) -> Sites:
        """Where to look: every cross-attention layer coarser than the latent, and the penultimate
        features of the decoder (the paper's appearance activations)."""
        levels = len(self.unet.config.block_out_channels)

        def level(name: str) -> int:
            kind, _, rest = name.partition(".")
            number = int(rest.split(".")[0]) if kind in ("down_blocks", "up_blocks") else 0
            return {"down_blocks": number, "up_blocks": levels - 1 - number}.get(kind, levels - 1)

        attention = [n for n, _ in self.unet.named_modules() if n.endswith("attn2") and level(n) >= 1]
        last = self.unet.up_blocks[-1]
        feature = f"up_blocks.{levels - 1}.resnets.{len(last.resnets) - 2}"
        return Sites(tuple(attention), (feature,))

    @torch.no_grad()
    def encode(self, photo: Tensor) -> Tensor:
        """Photo (1, 3, H, W) in [0, 1] to the mean of its latent (1, C, h, w)."""
        mean = self.vae.encode(photo.to(self.device) * 2 - 1).latent_dist.mode()
        return (mean - self._shift) * self.vae.config.scaling_factor

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """Latent (1, C, h, w) to a photo (1, 3, H, W), clipped to [0, 1]."""
        image = self.vae.decode(latent / self.vae.config.scaling_factor + self._shift).sample
        return (image * 0.5 + 0.5).clamp(0, 1)

    def encoder_features(self, photo: Tensor) -> list[Tensor]:
        """The VAE encoder's feature maps (1, C, h, w) of a photo in [0, 1], one per level."""
        levels = range(len(self.vae.config.block_out_channels))
        with tap(self.vae, Sites(features=tuple(f"encoder.down_blocks.{i}" for i in levels))) as tape:
            self.encode(photo)
        return list(tape.features.values())

    @property
    def _shift(self) -> float:
        return getattr(self.vae.config, "shift_factor", None) or 0.0

    @torch.no_grad()
    def embed(self, prompt: str) -> Embedding:
        """Encode a prompt, padded to the model's length as in diffusers' pipelines."""
        ids = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return Embedding(self.text_encoder(ids.to(self.device))[0].float())

    def prompt_length(self, prompt: str) -> int:
        """Tokens of the prompt with its begin and end marks, without the padding."""
        return min(len(self.tokenizer(prompt).input_ids), self.tokenizer.model_max_length)

    def positions(self, prompt: str, phrase: str) -> tuple[int, ...]:
        """The token positions of a phrase of the prompt; see `inversion.phrases`."""
        return token_positions(self.tokenizer, prompt, phrase)

    def span_positions(self, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
        """The token positions of the characters [start, end) of a prompt."""
        return span_positions(self.tokenizer, prompt, span)

    def predict(self, z: Tensor, t: int, rows: Sequence[Embedding]) -> Tensor:
        """The network's output for each row's text, float32 (rows, C, h, w).

        `z` is one latent for all rows, or one for each."""
        dtype = self.unet.dtype
        text = torch.cat([row.tokens for row in rows]).to(dtype)
        extra = {k: torch.cat([row.extra[k] for row in rows]).to(dtype) for k in rows[0].extra}
        z = z.expand(len(rows), -1, -1, -1) if len(z) != len(rows) else z
        out = self.unet(z.to(dtype), t, encoder_hidden_states=text, added_cond_kwargs=extra or None)
        return out.sample.float()

    def schedule(self, steps: int) -> Schedule:
        """The DDIM schedule of `steps` steps, with the checkpoint's own spacing and offset."""
        scheduler = type(self.scheduler).from_config(self.scheduler.config)
        limit = scheduler.config.num_train_timesteps
        if not 1 <= steps <= limit:
            raise ValueError(f"steps must lie between 1 and {limit}, not {steps}")
        scheduler.set_timesteps(steps)
        timesteps = [int(t) for t in scheduler.timesteps]
        stride, alpha_bar = limit // steps, scheduler.alphas_cumprod
        final = scheduler.final_alpha_cumprod
        return Schedule(
            tuple(timesteps),
            torch.stack([alpha_bar[t] for t in timesteps]),
            torch.stack([alpha_bar[t - stride] if t >= stride else final for t in timesteps]),
            Parameterisation(scheduler.config.prediction_type),
        )

    @contextmanager
    def metered(self) -> Iterator[Meter]:
        """Count every row that passes through the U-Net inside the block, whoever sends it."""
        meter = Meter()

        def count(module: Any, args: Any, kwargs: Any, output: Any) -> None:
            rows = (args[0] if args else kwargs["sample"]).shape[0]
            tracked = output.sample.requires_grad
            meter.forward_equivalents += rows * (1 + BACKWARD_COST * tracked)

        handle = self.unet.register_forward_hook(count, with_kwargs=True)
        try:
            yield meter
        finally:
            handle.remove()


def load_model(name_or_path: str = BUNDLED, device: str = "auto", dtype: str = "auto") -> DiffusionModel:
    """Load a Stable Diffusion 1.x or 2.x model in the diffusers layout, weights frozen.

    Args:
        name_or_path: "tabletop" (bundled), a folder, or an id on the Hugging Face hub.
        device: "auto", or a torch device such as "cpu" or "cuda:0".
        dtype: of the U-Net: "auto" (float32 on a CPU, bfloat16 elsewhere), "float32", "bfloat16"
            or "float16". All else stays float32.

    Raises:
        ModelError: the model is not on this machine and cannot be fetched, or is not of this kind.
    """
    folder = find_weights(name_or_path)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "float32" if device == "cpu" else "bfloat16"
    parts = _load_parts(folder, name_or_path)
    for name in WITH_WEIGHTS:
        if any(bool(weight.isnan().any()) for weight in parts[name].parameters()):
            raise ModelError(f'"{name_or_path}": the weights of its {name} hold not-a-number; fetch the model again')
        parts[name].requires_grad_(False).eval().to(device)
    channels = parts["unet"].config.in_channels
    if channels != parts["vae"].config.latent_channels:
        raise ModelError(
            f'"{name_or_path}" has a U-Net with {channels} input channels, as for inpainting or depth; expected '
            "plain Stable Diffusion 1.x or 2.x"
        )
    if parts["unet"].dtype != getattr(torch, dtype):
        parts["unet"].to(getattr(torch, dtype))
    return DiffusionModel(name=name_or_path, fingerprint=fingerprint(folder), **parts)


def _load_parts(folder: Path, name: str) -> dict[str, Any]:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer
    from transformers.utils import logging as transformers_logging

    index = folder / "model_index.json"
    if not index.is_file():
        raise ModelError(f'"{name}" is not a model in the diffusers layout: {index.name} is missing in {folder}')
    try:
        listed = json.loads(index.read_text())
    except ValueError as error:
        raise ModelError(f'"{name}": {index} is not readable as JSON; fetch the model again') from error
    if "text_encoder_2" in listed or "unet" not in listed:
        raise ModelError(f'"{name}" is a {listed.get("_class_name")}; expected Stable Diffusion 1.x or 2.x')
    refuse_pickles(folder, name, WITH_WEIGHTS)
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler", clip_sample=False)
        Parameterisation(scheduler.config.prediction_type)
        return {
            "vae": AutoencoderKL.from_pretrained(folder, subfolder="vae", use_safetensors=True),
            "text_encoder": CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", use_safetensors=True),
            "tokenizer": CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer"),
            "unet": UNet2DConditionModel.from_pretrained(folder, subfolder="unet", use_safetensors=True),
            "scheduler": scheduler,
        }
    except Exception as error:  # a cut-off or foreign file can fail anywhere in these libraries
        raise ModelError(f'"{name}" could not be loaded from {folder}: {_first_line(error)}') from error
    finally:
        if bars:
            transformers_logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
