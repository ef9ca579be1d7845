"""Stable Diffusion checkpoints that were trained to fill holes (Rombach et al. 2022): their U-Net is shown, beside the
noisy latent, the photo's latent without the hole and the hole itself, nine channels in all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion import hub
from inversion.errors import ModelError
from inversion.families import ModelFamily, check_scheduler, check_texts, check_unet, check_vae, family_of
from inversion.finite import finite
from inversion.folders import read_configuration
from inversion.layouts import load_parts
from inversion.libraries import quiet_libraries, told_in_one_line
from inversion.loading import check_weights, unet_type, usable_device
from inversion.vocabulary import check_tokenizer
from inversion.weights import ModelSource
from realedit.images import resize, working_size
from realedit.inpainting.hole_view import fill_through_view
from realedit.settings import DEFAULTS, Settings

ADVICE = "give an inpainting checkpoint such as stable-diffusion-v1-5/stable-diffusion-inpainting"


def no_step(step: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class InpaintingCheckpoint:
    """A `PromptedFiller`: one of diffusers' own inpainting pipelines, which samples the scene of `prompt`. It sees the
    part around the hole at its native size, so a larger one is filled without the photo's finest detail."""

    name: str
    pipe: Any
    prompt: str = ""
    settings: Settings = DEFAULTS
    on_step: Callable[[int], None] = no_step

    def with_prompt(self, prompt: str, settings: Settings, on_step: Callable[[int], None]) -> "InpaintingCheckpoint":
        """See `PromptedFiller`."""
        return replace(self, prompt=prompt, settings=settings, on_step=on_step)

    @property
    def native_size(self) -> int:
        """Pixels along each side of the pictures that it was trained on."""
        cells = self.pipe.unet.config.sample_size
        return int(self.pipe.vae_scale_factor * (cells if isinstance(cells, int) else min(cells)))

    def __call__(self, photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
        """See `Filler`; the same seed gives the same pixels."""
        return fill_through_view(photo, hole, others, self.native_size, self._draw)

    def _draw(self, image: Tensor, hidden: Tensor) -> Tensor:
        """A part (1, 3, h, w) as the model draws it, anew where `hidden` (1, 1, h, w). Every latent cell that is hidden
        in part is drawn anew as a whole, so that none is made of colours from both sides of an edge."""
        whole = image.shape[-1], image.shape[-2]
        factor = self.pipe.vae_scale_factor
        multiple = max(8, factor * 2 ** (len(self.pipe.unet.config.block_out_channels) - 1))
        width, height = working_size(whole, self.native_size, multiple)
        mask = (F.interpolate(hidden, size=(height, width), mode="area") > 0).float()
        cells = F.interpolate(F.max_pool2d(mask, factor), scale_factor=factor, mode="nearest")

        def told(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            self.on_step(step)
            return values

        with quiet_libraries(), torch.no_grad():
            drawn = self.pipe(
                prompt=self.prompt,
                image=resize(image, (width, height)),
                mask_image=cells,
                width=width,
                height=height,
                strength=1.0,  # from noise alone
                num_inference_steps=self.settings.steps,
                guidance_scale=self.settings.guidance_scale,
                generator=torch.Generator().manual_seed(self.settings.seed),
                output_type="pt",
                callback_on_step_end=told,
            ).images
        return resize(finite(drawn.float().cpu(), self.name), whole)


def load_inpainting_checkpoint(source: ModelSource, device: str = "auto") -> InpaintingCheckpoint:
    """The filler of a folder in the diffusers layout or of a hub model, in float32 on a CPU and bfloat16 elsewhere.
    What kind of model it is, is looked at before its weights are fetched.

    Raises:
        ModelError: it is not on this machine and cannot be fetched, is damaged, or is no inpainting checkpoint of
            Stable Diffusion 1.x, 2.x or SDXL.
        RealEditError: the device does not exist on this machine.
    """
    place = usable_device(device)
    _check(source)
    folder = source.folder or hub.fetch(source)
    index = read_configuration(folder / hub.INDEX, source.name)
    kind = unet_type("auto", place)
    parts = load_parts(folder, source, kind)
    for part in family_of(index, source.name).value:
        check_tokenizer(parts[part.replace("text_encoder", "tokenizer")], parts[part], source.name)
    for part in family_of(index, source.name).with_weights:
        check_weights(parts[part], part, source.name)
    with told_in_one_line(source.name, folder):
        pipe = _pipeline(folder, index, parts)
        pipe.to(device=place, dtype=kind)
    pipe.set_progress_bar_config(disable=True)
    return InpaintingCheckpoint(f"inpainting model {source.name}", pipe)


def _check(source: ModelSource) -> None:
    """Check by its configurations alone that a model is an inpainting checkpoint.

    Raises:
        ModelError: it is not; the message says what it is.
    """

    def read(name: str) -> dict[str, Any]:
        path = source.folder / name if source.folder else hub.fetch_file(source, name)
        return read_configuration(path, source.name)

    family = family_of(read(hub.INDEX), source.name)
    unet, vae = read("unet/config.json"), read("vae/config.json")
    latent, channels = vae.get("latent_channels", 4), unet.get("in_channels", 4)
    if channels == latent:
        raise ModelError(
            f'--fill "{source.name}" is a text-to-image model, whose U-Net takes {channels} channels and not '
            f"{2 * latent + 1}; {ADVICE}, or --fill model, which fills holes with the model of --model"
        )
    if channels != 2 * latent + 1:
        raise ModelError(
            f'--fill "{source.name}" has a U-Net with {channels} input channels, expected {2 * latent + 1}; {ADVICE}'
        )
    check_unet(unet | {"in_channels": latent}, vae, family, source.name)
    check_vae(vae, source.name)
    check_texts(unet, [read(f"{part}/config.json") for part in family.value], source.name)
    check_scheduler(read("scheduler/scheduler_config.json"), source.name)


def _pipeline(folder: Path, index: dict[str, Any], parts: dict[str, Any]) -> Any:
    """diffusers' own inpainting pipeline of loaded parts, with the sampler that the folder names."""
    import diffusers

    kind = getattr(diffusers, index["scheduler"][1])
    parts = parts | {"scheduler": kind.from_pretrained(folder, subfolder="scheduler", local_files_only=True)}
    if family_of(index, folder.name) is ModelFamily.ONE_TEXT:
        return diffusers.StableDiffusionInpaintPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    return diffusers.StableDiffusionXLInpaintPipeline(
        **parts,
        requires_aesthetics_score=bool(index.get("requires_aesthetics_score", False)),
        force_zeros_for_empty_prompt=bool(index.get("force_zeros_for_empty_prompt", True)),
        add_watermarker=False,
    )
