"""Loading a model by its name, onto a device and in a dtype. Only this file and `layouts.py` import diffusers and
transformers."""

from dataclasses import replace
from typing import Any

import torch

from inversion.errors import ModelError, RealEditError, first_line
from inversion.families import family_of
from inversion.footprint import Memory, Need, available, bytes_of
from inversion.layouts import from_file, from_folder, from_pipeline, mark_of_weights
from inversion.model import DiffusionModel
from inversion.text import TextEncoders
from inversion.weights import BUNDLED, ModelSource


def load_model(
    name_or_path: str = BUNDLED,
    device: str = "auto",
    dtype: str = "auto",
    *,
    revision: str | None = None,
    variant: str | None = None,
    offline: bool = False,
    memory: Memory = Memory.AUTO,
) -> DiffusionModel:
    """Load a Stable Diffusion 1.x, 2.x or SDXL model, weights frozen.

    Args:
        name_or_path: "tabletop" (bundled), a folder in the diffusers layout, a .safetensors file, or an id on the
            Hugging Face hub.
        device: "auto", or a torch device such as "cpu" or "cuda:0".
        dtype: of the U-Net: "auto" (float32 on a CPU, bfloat16 elsewhere), "float32", "bfloat16"
            or "float16". All else stays float32.
        revision: of a hub model: a branch, a tag or a commit.
        variant: of the weights, such as "fp16".
        offline: send no request; use what is on this machine.
        memory: how the model is fitted to the device, see `Memory`.

    Raises:
        ModelError: the model is not on this machine and cannot be fetched, belongs to no supported family, or is
            damaged.
        RealEditError: the device does not exist on this machine.
    """
    source, place = ModelSource(name_or_path, revision, variant, offline), usable_device(device)
    parts, mark = from_file(source) if source.is_file else from_folder(source)
    return _assembled(source.name, mark, parts, place, dtype, memory)


def usable_device(name: str) -> torch.device:
    """The device of a name; "auto" is a CUDA device if there is one, else the CPU.

    Raises:
        RealEditError: there is no such device on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # each kind of device has its own way
        raise RealEditError(f'device "{name}" cannot be used here: {first_line(error)}; use auto or cpu') from error
    return device


def model_of(pipe: Any, name: str = "pipeline", memory: Memory = Memory.AUTO) -> DiffusionModel:
    """The model in a diffusers pipeline that is loaded already, with whatever was loaded into it, such as LoRA
    weights. Its networks are shared and frozen; the U-Net keeps its dtype, all else becomes float32.

    Raises:
        ModelError: it belongs to no supported family, or its weights hold not-a-number.
    """
    listed = {part: ("", type(value).__name__) for part, value in pipe.components.items() if value is not None}
    parts = from_pipeline(pipe, family_of({"_class_name": type(pipe).__name__, **listed}, name), name)
    dtype = str(pipe.unet.dtype).removeprefix("torch.")
    return _assembled(name, mark_of_weights(parts), parts, pipe.unet.device, dtype, memory)


def plain_pipeline(model: DiffusionModel) -> Any:
    """A diffusers pipeline that shares the networks of a model, to compare its results with."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    encoders = model.texts.encoders
    parts = {"vae": model.vae, "unet": model.unet, "scheduler": model.scheduler}
    for k, encoder in enumerate(encoders):
        ending = f"_{k + 1}" if k else ""
        parts |= {f"text_encoder{ending}": encoder.network, f"tokenizer{ending}": encoder.tokenizer}
    if len(encoders) == 1:
        pipe = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    else:
        zero = model.texts.empty_is_zero
        pipe = StableDiffusionXLPipeline(**parts, force_zeros_for_empty_prompt=zero, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _assembled(
    name: str, mark: str, parts: dict[str, Any], device: torch.device, dtype: str, memory: Memory
) -> DiffusionModel:
    """Check the weights, freeze them, and put them where and how they are used."""
    if dtype == "auto":
        dtype = "float32" if device.type == "cpu" else "bfloat16"
    texts: TextEncoders = parts["texts"]
    networks = {"unet": parts["unet"], "vae": parts["vae"]}
    networks |= {f"text encoder {k + 1}": e.network for k, e in enumerate(texts.encoders)}
    for what, network in networks.items():
        if any(bool(weight.isnan().any()) for weight in network.parameters()):
            raise ModelError(f'"{name}": the weights of its {what} hold not-a-number; fetch the model again')
        network.requires_grad_(False).eval()
        if network is not parts["unet"] and network.dtype != torch.float32:  # SDXL's autoencoder overflows in half
            network.to(torch.float32)
    if parts["unet"].dtype != getattr(torch, dtype):
        parts["unet"].to(getattr(torch, dtype))
    model = DiffusionModel(name=name, fingerprint=mark, device=device, memory=memory, **parts)
    return settled(model)


def settled(model: DiffusionModel) -> DiffusionModel:
    """The model with `Memory.AUTO` replaced by a choice, and its networks on the devices of that choice."""
    unet, memory = model.unet, model.memory
    if memory is Memory.AUTO:
        side = model.native_size // model.latent_factor
        texts = tuple(e.network for e in model.texts.encoders)
        need = Need(unet, model.vae, texts, (side, side), model.texts.encoders[0].length)
        here = bytes_of(n for n in model.networks if n.device.type == model.device.type)
        memory = need.choice(available(model.device) + here)
    if memory in (Memory.CHECKPOINTED, Memory.LEAN):
        unet.enable_gradient_checkpointing()
    for network in model.networks:
        network.to("cpu" if memory is Memory.LEAN else model.device)
    return replace(model, memory=memory)
