"""The parts of a model ("unet", "vae", "texts", "scheduler"): from a folder in the diffusers layout, from one file,
or from a pipeline in memory."""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from inversion import hub
from inversion.errors import ModelError, Notice
from inversion.families import SUPPORTED, ModelFamily, check_texts, check_unet, check_vae, family_of, is_unconditional
from inversion.file_types import check_head, check_single_file
from inversion.fingerprints import fingerprint_of_files
from inversion.folders import chosen_weights, configuration_files, fingerprint_of_folder, read_configuration
from inversion.libraries import told_in_one_line
from inversion.noise_levels import as_ddim, named_sampler
from inversion.text import TextEncoder, TextEncoders
from inversion.vocabulary import check_tokenizer, load_tokenizer
from inversion.weights import ModelSource

SAMPLER = "scheduler/scheduler_config.json"  # in the diffusers layout


def from_folder(source: ModelSource, unet_type: torch.dtype) -> tuple[dict[str, Any], str]:
    """The parts of a model in the diffusers layout, on the CPU, the U-Net in its type and all else float32, and its
    fingerprint; a hub model is fetched.

    Raises:
        ModelError: it is not on this machine and cannot be fetched, belongs to no supported family, or is damaged.
    """
    folder, name = source.folder or hub.fetch(source), source.name
    index = read_configuration(folder / hub.INDEX, name)
    if is_unconditional(index):
        return _unconditional(folder, source, unet_type)
    family = family_of(index, name)
    unet, vae, *texts = (read_configuration(folder / part / "config.json", name) for part in family.with_weights)
    check_unet(unet, vae, family, name)
    check_vae(vae, name)
    check_texts(unet, texts, name)
    sampler = named_sampler(read_configuration(folder / SAMPLER, name), name)
    parts = load_parts(folder, source, unet_type)
    zero = {"force_zeros_for_empty_prompt": index["force_zeros_for_empty_prompt"]} if _says_zero(index, family) else {}
    with told_in_one_line(name, folder):
        pipe = pipeline_class(family)(**parts, scheduler=sampler, **WITHOUT[family], **zero)
    return from_pipeline(pipe, family, name), fingerprint_of_folder(folder, source)


def _unconditional(folder: Path, source: ModelSource, unet_type: torch.dtype) -> tuple[dict[str, Any], str]:
    """Of a model that no words guide."""
    from inversion.unconditional import unconditional_parts

    sampler = named_sampler(read_configuration(folder / SAMPLER, source.name), source.name)
    read_configuration(folder / "unet" / "config.json", source.name)
    parts, weights = unconditional_parts(folder, source, unet_type)
    mark = fingerprint_of_files([*weights, *configuration_files(folder)])
    return {**parts, "scheduler": as_ddim(sampler, source.name)}, mark


def _says_zero(index: dict[str, Any], family: ModelFamily) -> bool:
    return family is ModelFamily.TWO_TEXTS and "force_zeros_for_empty_prompt" in index


def load_parts(folder: Path, source: ModelSource, unet_type: torch.dtype) -> dict[str, Any]:
    """The networks, on the CPU, the U-Net in its type and the others float32, and the tokenizers of a folder in the
    diffusers layout, by the names of their parts.

    Raises:
        ModelError: it belongs to no supported family, is damaged, or lacks the variant that was asked for.
    """
    index = read_configuration(folder / hub.INDEX, source.name)
    family = family_of(index, source.name)
    parts = {part: load_tokenizer(folder, part, source.name) for part in family.tokenizers}
    for part, (variant, weights) in chosen_weights(folder, source, family).items():
        for path in weights:
            check_head(path, source.name)
        kind = unet_type if part == "unet" else torch.float32
        parts[part] = _network(folder / part, _class_of(index[part][1], part), variant, kind, source.name)
    return parts


def _class_of(name: str, part: str) -> Any:
    """The class of a part's network, in the library that has such."""
    import diffusers
    import transformers

    return getattr(transformers if "text" in part else diffusers, name)


def _network(folder: Path, network_class: Any, variant: str | None, kind: torch.dtype, name: str) -> Any:
    """The network of a part's `folder`, on the CPU, in a type.

    Raises:
        ModelError: it could not be loaded, or tensors are missing; a `Notice` says which are not used.
    """
    part = folder.name
    how: dict[str, Any] = {"torch_dtype": kind}
    if "text" in part:
        how = {"dtype": kind, "ignore_mismatched_sizes": True, "trust_remote_code": False}
    with told_in_one_line(name, folder.parent):
        network, seen = network_class.from_pretrained(
            folder.parent,
            subfolder=part,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **how,
        )
    check_loaded(seen, part, name)
    return network


def check_loaded(seen: dict[str, Collection[Any]], part: str, name: str) -> None:
    """Check what a library reports of the tensors that it loaded (its `output_loading_info`) into a `part` of the model
    called `name`.

    Raises:
        ModelError: some are missing, or of another shape; a `Notice` says which are not used.
    """
    missing, extra = sorted(seen["missing_keys"]), sorted(seen["unexpected_keys"])
    if missing:
        raise ModelError(
            f'"{name}": {len(missing)} tensors of its {part} are missing, such as {missing[0]}; fetch the model again'
        )
    if seen["mismatched_keys"]:
        tensor, found, expected = sorted(seen["mismatched_keys"])[0]
        raise ModelError(
            f'"{name}": {tensor} of its {part} is {list(found)} and not {list(expected)}, as its config.json says'
        )
    if extra:
        said = f"{len(extra)} tensors in the file of its {part} belong to no layer and are not used"
        warnings.warn(Notice(f'"{name}": {said}, such as {extra[0]}'), stacklevel=2)


def pipeline_class(family: ModelFamily) -> Any:
    """The diffusers pipeline of a family."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    return StableDiffusionPipeline if family is ModelFamily.ONE_TEXT else StableDiffusionXLPipeline


def from_file(source: ModelSource, unet_type: torch.dtype) -> tuple[dict[str, Any], str]:
    """The parts of a model in one .safetensors file in the layout of the original Stable Diffusion, on the CPU, the
    U-Net in its type and all else float32, and its fingerprint.

    Its configuration is that of the folder around it, if that is a model, else that of the hub model which
    diffusers takes it for.

    Raises:
        ModelError: it is another kind of file, belongs to no supported family, is damaged, or its configuration cannot
            be fetched.
    """
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import (
        fetch_diffusers_config,
        infer_diffusers_model_type,
        load_single_file_checkpoint,
    )

    path = Path(source.name)
    if path.suffix != ".safetensors":
        raise ModelError(f'"{source.name}" is a {path.suffix or "file"}; {SUPPORTED}; other files may hold programs')
    check_single_file(path)
    with told_in_one_line(source.name, path):
        weights = load_single_file_checkpoint(str(path), local_files_only=True)
        beside = path.parent / hub.INDEX
        if beside.is_file():
            folder = path.parent
        elif infer_diffusers_model_type(weights).startswith(("v1", "v2", "xl")):
            folder = hub.fetch_configuration(fetch_diffusers_config(weights)[NAME], source.offline)
        else:
            raise ModelError(f'"{source.name}" is not one of Stable Diffusion 1.x, 2.x or SDXL; {SUPPORTED}')
    del weights
    index = read_configuration(folder / hub.INDEX, source.name)
    family = family_of(index, source.name)
    how = {"config": str(folder), "local_files_only": True}
    with told_in_one_line(source.name, path):
        unet = UNet2DConditionModel.from_single_file(str(path), subfolder="unet", torch_dtype=unet_type, **how)
        pipe = pipeline_class(family).from_single_file(
            str(path), unet=unet, torch_dtype=torch.float32, **how, **WITHOUT[family]
        )
    return from_pipeline(pipe, family, source.name), fingerprint_of_files([path, *configuration_files(folder)])


NAME = "pretrained_model_name_or_path"
WITHOUT: dict[ModelFamily, dict[str, Any]] = {
    ModelFamily.ONE_TEXT: {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    ModelFamily.TWO_TEXTS: {"add_watermarker": False},
}


def from_pipeline(pipe: Any, family: ModelFamily, name: str) -> dict[str, Any]:
    """The parts of a loaded diffusers pipeline, shared with it; `name` is what messages call it.

    Raises:
        ModelError: its networks, tokenizers or sampler are not supported, or do not fit each other.
    """
    check_unet(pipe.unet.config, pipe.vae.config, family, name)
    check_vae(pipe.vae.config, name)
    networks = [getattr(pipe, part) for part in family.value]
    tokenizers = [getattr(pipe, part) for part in family.tokenizers]
    check_texts(pipe.unet.config, [network.config.to_dict() for network in networks], name)
    for tokenizer, network in zip(tokenizers, networks, strict=True):
        check_tokenizer(tokenizer, network, name)
    zero = bool(pipe.config.get("force_zeros_for_empty_prompt", family is ModelFamily.TWO_TEXTS))
    encoders = tuple(TextEncoder(*pair) for pair in zip(tokenizers, networks, strict=True))
    texts, sampler = TextEncoders(encoders, zero), as_ddim(pipe.scheduler, name)
    return {"unet": pipe.unet, "vae": pipe.vae, "texts": texts, "scheduler": sampler}
