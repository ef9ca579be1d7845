"""Which model families are supported, decided by their configurations before any weight is loaded."""

import enum
import math
from collections.abc import Mapping, Sequence
from typing import Any

from inversion.errors import ModelError
from inversion.schedule import Parameterisation

SUPPORTED = "expected Stable Diffusion 1.x, 2.x or SDXL in the diffusers layout, or one .safetensors file of them"

Config = Mapping[str, Any]


class ModelFamily(enum.Enum):
    """A family of models, told apart by the text encoders that its `model_index.json` lists."""

    ONE_TEXT = ("text_encoder",)  # Stable Diffusion 1.x and 2.x
    TWO_TEXTS = ("text_encoder", "text_encoder_2")  # SDXL
    NO_TEXT = ()  # models of pixels that no words guide

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
TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
CONDITIONS = {
    ModelFamily.ONE_TEXT: None,
    ModelFamily.TWO_TEXTS: "text_time",
}  # what the U-Net is given beside the tokens


WITHOUT_WORDS = ("DDPMPipeline", "DDIMPipeline")


def is_unconditional(index: Config) -> bool:
    """Whether a `model_index.json` is that of a model of pixels that no words guide."""
    return index.get("_class_name") in WITHOUT_WORDS


def family_of(index: Config, name: str) -> ModelFamily:
    """The family of the model called `name`, by its `model_index.json` (`index`).

    Raises:
        ModelError: it belongs to no supported family; the message says what it is.
    """

    def refuse(what: str) -> ModelError:
        return ModelError(f'"{name}" is {what}; {SUPPORTED}')

    kind = index.get("_class_name") or "something else"
    if not isinstance(kind, str):
        raise refuse("run by a program of its own, which is not run here")
    listed = {part: str(value[1]) for part, value in index.items() if _is_listed(value)}
    if "Onnx" in kind or "OnnxRuntimeModel" in listed.values():
        raise refuse("exported to ONNX, which has no gradients")
    if "transformer" in listed:
        raise refuse(f"a {kind}, whose network is a transformer")
    if "unet" not in listed or "vae" not in listed:
        raise refuse(f"a {kind}, without the U-Net and autoencoder of Stable Diffusion")
    if "text_encoder" not in listed:
        raise refuse(f"a {kind} without its first text encoder, as refiners are")
    for part, wanted in CLASSES.items():
        if listed.get(part, wanted) != wanted:
            raise refuse(f"a {kind}, whose {part} is a {listed[part]} and not a {wanted}")
    family = ModelFamily.TWO_TEXTS if "text_encoder_2" in listed else ModelFamily.ONE_TEXT
    for part in family.tokenizers:
        if listed.get(part, TOKENIZERS[0]) not in TOKENIZERS:
            raise refuse(f"a {kind}, whose {part} is a {listed[part]} and not a {TOKENIZERS[0]}")
    return family


def _is_listed(value: Any) -> bool:
    """Whether an entry of a `model_index.json` names a part: its library and its class."""
    return isinstance(value, list | tuple) and len(value) == 2 and value[1] is not None


def check_unet(unet: Config, vae: Config, family: ModelFamily, name: str) -> None:
    """Check that a U-Net's inputs are a latent of its VAE, a timestep and a prompt of the family, and nothing else, and
    that its size is known.

    Raises:
        ModelError: it needs other inputs, or says no size; the message says which.
    """

    def refuse(what: str) -> ModelError:
        return ModelError(f'"{name}" has a U-Net {what}; {SUPPORTED}')

    channels, latent = unet.get("in_channels", 4), vae.get("latent_channels", 4)
    if channels != latent:
        raise refuse(f"with {channels} input channels and not {latent}, as for inpainting, depth or other pictures")
    if unet.get("out_channels", 4) != latent:
        raise refuse(f"with {unet['out_channels']} output channels and not {latent}")
    if unet.get("time_cond_proj_dim") is not None:
        raise refuse("that takes the guidance scale as an input, as distilled consistency models do")
    for field in ("class_embed_type", "encoder_hid_dim_type"):
        if unet.get(field) is not None:
            raise refuse(f'that wants more than a prompt ({field} "{unet[field]}")')
    if unet.get("addition_embed_type") != CONDITIONS[family]:
        raise refuse(f'whose condition is "{unet.get("addition_embed_type")}" and not "{CONDITIONS[family]}"')
    if unet.get("quantization_config") is not None:
        raise refuse("that is quantised")
    size = unet.get("sample_size")
    sides = size if isinstance(size, list | tuple) else [size]
    if len(sides) not in (1, 2) or not all(type(side) is int and side > 0 for side in sides):
        raise ModelError(
            f'"{name}" does not say at which size it was trained: sample_size is {size!r} in unet/config.json; write '
            "the latent's side there, such as 64 for 512 pixels"
        )


def check_vae(vae: Config, name: str) -> None:
    """Check that an autoencoder is one of colour pictures, and that its latents have a scale.

    Raises:
        ModelError: it is not, or they have none.
    """
    for field in ("in_channels", "out_channels"):
        if vae.get(field, 3) != 3:
            raise ModelError(f'"{name}" has an autoencoder with {field} {vae[field]} and not 3; {SUPPORTED}')
    latent = vae.get("latent_channels", 4)
    factor = vae.get("scaling_factor", 0.18215)
    if not (_is_number(factor) and factor > 0):
        raise ModelError(f'"{name}": scaling_factor is {factor!r} in vae/config.json, expected a number above 0')
    for field in ("latents_mean", "latents_std"):
        values = vae.get(field)
        if values is not None and not (
            isinstance(values, list | tuple) and len(values) == latent and all(map(_is_number, values))
        ):
            raise ModelError(f'"{name}": {field} is {values!r} in vae/config.json, expected {latent} numbers')
    if 0 in (vae.get("latents_std") or ()):
        raise ModelError(f'"{name}": latents_std holds 0 in vae/config.json, expected numbers above 0')


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def check_texts(unet: Config, texts: Sequence[Config], name: str) -> None:
    """Check that text encoders are as wide as the U-Net expects; `texts`: their configurations, in order.

    Raises:
        ModelError: they are not.
    """
    texts = [t["text_config"] if isinstance(t.get("text_config"), Mapping) else t for t in texts]
    widths = [t.get("hidden_size", 512) for t in texts]
    expected = unet.get("cross_attention_dim", 1280)
    for width in expected if isinstance(expected, list | tuple) else [expected]:
        if width != sum(widths):
            raise ModelError(
                f'"{name}": its U-Net expects text of width {width}, and its text encoders give '
                f"{' + '.join(map(str, widths))}; they are of another model"
            )
    if unet.get("addition_embed_type") is not None:
        pooled = texts[-1].get("projection_dim", 512)
        sizes = 6 * (unet.get("addition_time_embed_dim") or 0)
        if unet.get("projection_class_embeddings_input_dim") != pooled + sizes:
            raise ModelError(
                f'"{name}": its U-Net expects {unet.get("projection_class_embeddings_input_dim")} numbers of the whole '
                f"text and the sizes, and gets {pooled} + {sizes}; its second text encoder is of another model"
            )


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
