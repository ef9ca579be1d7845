"""Loading a model by its name or from a pipeline, onto a device and in a dtype."""

from dataclasses import replace
from typing import Any

import torch

from inversion.errors import ModelError, RealEditError, first_line
from inversion.families import family_of
from inversion.fingerprints import fingerprint_of_networks
from inversion.folders import fingerprint_of_folder, sizes_in
from inversion.footprint import Memory, Need, available, bytes_of
from inversion.layouts import (
    WITHOUT,
    from_file,
    from_folder,
    from_pipeline,
    pipeline_class,
)
from inversion.model import DiffusionModel
from inversion.parts import Parts
from inversion.picture_classifier import PictureClassifier
from inversion.sharing import shared_copy, without_compiling
from inversion.text import TextEncoder, TextEncoders
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
    model = open_model(ModelSource(name_or_path, revision, variant, offline), device, dtype, memory)
    _ = model.parts  # whatever is wrong with it is told now
    return model


def open_model(
    source: ModelSource, device: str = "auto", dtype: str = "auto", memory: Memory = Memory.AUTO
) -> DiffusionModel:
    """The same, but a model in a folder is loaded when it is first used: it may not be.

    Raises:
        ModelError: see `load_model`; the model may raise it later.
        RealEditError: the device does not exist on this machine.
    """
    name, place = source.name, usable_device(device)
    kind, folder = unet_type(dtype, place), None if source.is_file else source.folder
    sizes = sizes_in(folder, name) if folder is not None else None

    def load() -> Parts:
        return _frozen(from_folder(source, kind)[0], name, place, memory)

    if folder is not None and sizes is not None:
        pictures = PictureClassifier.load(folder)
        return DiffusionModel(name, fingerprint_of_folder(folder, source), sizes, load, place, pictures)
    parts, mark = from_file(source, kind) if source.is_file else from_folder(source, kind)
    model = _of_parts(name, mark, _frozen(parts, name, place, memory), place)
    _ = model.parts
    return model


def unet_type(name: str, device: torch.device) -> torch.dtype:
    """The type of a name, in which the U-Net computes; "auto" is float32 on a CPU, bfloat16 elsewhere."""
    if name == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    found: torch.dtype = getattr(torch, name)
    return found


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
    """The model in a diffusers pipeline that is loaded already, as it is set now, with whatever was loaded into it,
    such as LoRA weights. The pipeline stays as it is and shares its tensors; the U-Net keeps its dtype, all else is
    float32.

    Raises:
        ModelError: it belongs to no supported family, its weights are not finite, or they are quantised or not in
            memory.
    """
    found = {part: without_compiling(value) for part, value in pipe.components.items() if value is not None}
    listed = {part: ("", type(value).__name__) for part, value in found.items()}
    family = family_of({"_class_name": type(pipe).__name__, **listed}, name)
    parts = from_pipeline(pipe, family, name)
    texts: TextEncoders = parts["texts"]
    pairs = [(e.tokenizer, shared_copy(e.network, "text encoder", name)) for e in texts.encoders]
    parts["texts"] = TextEncoders(tuple(TextEncoder(*pair) for pair in pairs), texts.empty_is_zero)
    parts |= {part: shared_copy(parts[part], what, name) for part, what in (("unet", "U-Net"), ("vae", "autoencoder"))}
    networks = {"unet": parts["unet"], "vae": parts["vae"], **{f"text {k}": n for k, (_, n) in enumerate(pairs)}}
    words = [[t.get_vocab(), t.pad_token_id, t.model_max_length] for t, _ in pairs]
    mark = fingerprint_of_networks(networks, [dict(parts["scheduler"].config), words, texts.empty_is_zero])
    device = torch.empty(0, device=pipe._execution_device).device
    return _of_parts(name, mark, _frozen(parts, name, device, memory), device)


def plain_pipeline(model: DiffusionModel) -> Any:
    """A diffusers pipeline that shares the networks of a model, to compare its results with."""
    encoders, family = model.texts.encoders, model.family
    scheduler = type(model.scheduler).from_config(model.scheduler.config)
    parts = {"vae": model.vae, "unet": model.unet, "scheduler": scheduler}
    for k, encoder in enumerate(encoders):
        ending = f"_{k + 1}" if k else ""
        parts |= {f"text_encoder{ending}": encoder.network, f"tokenizer{ending}": encoder.tokenizer}
    zero = {} if len(encoders) == 1 else {"force_zeros_for_empty_prompt": model.texts.empty_is_zero}
    pipe = pipeline_class(family)(**parts, **WITHOUT[family], **zero)
    pipe.scheduler = type(scheduler).from_config(model.scheduler.config)  # as it is: the pipeline changes old ones
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _of_parts(name: str, mark: str, parts: Parts, device: torch.device) -> DiffusionModel:
    return DiffusionModel(name, mark, parts.sizes, lambda: parts, device)


def _frozen(parts: dict[str, Any], name: str, device: torch.device, memory: Memory) -> Parts:
    """Check the weights, freeze them, and put them where and how they are used."""
    texts: TextEncoders = parts["texts"]
    networks = {"unet": parts["unet"], "vae": parts["vae"]}
    networks |= {f"text encoder {k + 1}": e.network for k, e in enumerate(texts.encoders)}
    for what, network in networks.items():
        check_weights(network, what, name)
        network.requires_grad_(False).eval()
        if network is not parts["unet"] and network.dtype != torch.float32:  # SDXL's autoencoder overflows in half
            network.to(torch.float32)
    return settled(Parts(**parts, memory=memory), device)


def check_weights(network: torch.nn.Module, what: str, name: str) -> None:
    """Check the weights of `what`, a network of the model called `name`.

    Raises:
        ModelError: some are missing or not finite.
    """
    for place, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if tensor.is_meta:
            raise ModelError(f'"{name}": tensors of its {what} are missing, such as {place}; fetch the model again')
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            kind = "not-a-number" if bool(tensor.isnan().any()) else "infinite numbers"
            raise ModelError(f'"{name}": the weights of its {what} hold {kind}; fetch the model again')


def settled(parts: Parts, device: torch.device) -> Parts:
    """The parts of a model with `Memory.AUTO` replaced by a choice for a `device`, and its networks on the devices of
    that choice."""
    unet, memory, texts = parts.unet, parts.memory, parts.texts
    if memory is Memory.AUTO and not texts.encoders:  # small, and its need is not known
        memory = Memory.FAST
    if memory is Memory.AUTO:
        side = parts.sizes.native_size // parts.sizes.latent_factor
        need = Need(unet, parts.vae, tuple(e.network for e in texts.encoders), (side, side), texts.encoders[0].length)
        here = bytes_of(n for n in parts.networks if n.device.type == device.type)
        memory = need.choice(available(device) + here)
    if memory in (Memory.CHECKPOINTED, Memory.LEAN):
        unet.enable_gradient_checkpointing()
    for network in parts.networks:
        network.to("cpu" if memory is Memory.LEAN else device)
    return replace(parts, memory=memory)
