"""Which model families are supported, decided by their configurations before any weight is loaded."""

import enum
from collections.abc import Mapping
from typing import Any

from inversion.errors import ModelError
from inversion.schedule import Parameterisation

SUPPORTED = "expected Stable Diffusion 1.x, 2.x or SDXL in the diffusers layout, or one .safetensors file of them"

Config = Mapping[str, Any]


class ModelFamily(enum.Enum):
    """A family of models, told apart by the text encoders that its `model_index.json` lists."""

    ONE_TEXT = ("text_encoder",)  # Stable Diffusion 1.x and 2.x
    TWO_TEXTS = ("text_encoder", "text_encoder_2")  # SDXL

    @property
    def with_weights(self) -> tuple[str, ...]:
        """The parts that have weights, by their folders in the diffusers layout."""
        return ("unet", "vae", *self.value)

    @property
    def tokenizers(self) -> tuple[str, ...]:
        """The folders of the tokenizers, in the order of the text encoders."""
        return tuple(name.replace("text_encoder", "tokenizer") for name in self.value)


CLASSES = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "text_encoder_2": "CLIPTextModelWithProjection",
}
CONDITIONS = {
    ModelFamily.ONE_TEXT: None,
    ModelFamily.TWO_TEXTS: "text_time",
}  # what the U-Net is given beside the tokens


def family_of(index: Config, name: str) -> ModelFamily:
    """The family of the model called `name`, by its `model_index.json` (`index`).

    Raises:
        ModelError: it belongs to no supported family; the message says what it is.
    """

    def refuse(what: str) -> ModelError:
        return ModelError(f'"{name}" is {what}; {SUPPORTED}')

    kind = index.get("_class_name") or "something else"
    listed = {part: value[1] for part, value in index.items() if isinstance(value, list | tuple) and value[1]}
    if "transformer" in listed:
        raise refuse(f"a {kind}, whose network is a transformer")
    if "unet" not in listed or "vae" not in listed:
        raise refuse(f"a {kind}, without the U-Net and autoencoder of Stable Diffusion")
    if "text_encoder" not in listed:
        raise refuse(f"a {kind} without its first text encoder, as refiners are")
    for part, wanted in CLASSES.items():
        if listed.get(part, wanted) != wanted:
            raise refuse(f"a {kind}, whose {part} is a {listed[part]} and not a {wanted}")
    return ModelFamily.TWO_TEXTS if "text_encoder_2" in listed else ModelFamily.ONE_TEXT


def check_unet(unet: Config, vae: Config, family: ModelFamily, name: str) -> None:
    """Check that a U-Net's inputs are a latent of its VAE, a timestep and a prompt of the family, and nothing else.

    Raises:
        ModelError: it needs other inputs; the message says which.
    """

    def refuse(what: str) -> ModelError:
        return ModelError(f'"{name}" has a U-Net {what}; {SUPPORTED}')

    channels, latent = unet.get("in_channels", 4), vae.get("latent_channels", 4)
    if channels != latent:
        raise refuse(f"with {channels} input channels and not {latent}, as for inpainting, depth or other pictures")
    if unet.get("time_cond_proj_dim") is not None:
        raise refuse("that takes the guidance scale as an input, as distilled consistency models do")
    for field in ("class_embed_type", "encoder_hid_dim_type"):
        if unet.get(field) is not None:
            raise refuse(f'that wants more than a prompt ({field} "{unet[field]}")')
    if unet.get("addition_embed_type") != CONDITIONS[family]:
        raise refuse(f'whose condition is "{unet.get("addition_embed_type")}" and not "{CONDITIONS[family]}"')


def check_scheduler(scheduler: Config, name: str) -> None:
    """Check that a scheduler's noise levels are those of a diffusion in discrete steps, which DDIM can sample whatever
    sampler the folder names.

    Raises:
        ModelError: they are not, or the network predicts neither the noise nor v.
    """
    kind = str(scheduler.get("_class_name"))
    if "Flow" in kind or "EDM" in kind or scheduler.get("use_flow_sigmas") or "beta_schedule" not in scheduler:
        raise ModelError(f'"{name}" was trained for {kind}, which has no DDIM steps; {SUPPORTED}')
    known = [p.value for p in Parameterisation]
    if scheduler.get("prediction_type", known[0]) not in known:
        raise ModelError(
            f'"{name}" predicts "{scheduler["prediction_type"]}", expected {" or ".join(known)}; {SUPPORTED}'
        )
