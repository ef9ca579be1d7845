"""The parts of a model ("unet", "vae", "texts", "scheduler"): from a folder in the diffusers layout, from one file,
or from a pipeline in memory. Beside `loading.py` the only file that imports diffusers and transformers."""

import contextlib
import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from inversion import hub
from inversion.errors import ModelError, Notice, first_line
from inversion.families import SUPPORTED, ModelFamily, check_scheduler, check_unet, family_of
from inversion.text import TextEncoder, TextEncoders
from inversion.weights import ModelSource, check_variant, fingerprint, variant_of, weights_in


def from_folder(source: ModelSource) -> tuple[dict[str, Any], str]:
    """The parts of a model in the diffusers layout, float32 on the CPU, and its fingerprint; a hub model is fetched.

    Raises:
        ModelError: it is not on this machine and cannot be fetched, belongs to no supported family, or is damaged.
    """
    import diffusers

    folder = source.folder or hub.fetch(source)
    index = read_configuration(folder / hub.INDEX, source.name)
    family = family_of(index, source.name)
    unet, vae = (read_configuration(folder / part / "config.json", source.name) for part in ("unet", "vae"))
    check_unet(unet, vae, family, source.name)
    check_scheduler(read_configuration(folder / "scheduler" / "scheduler_config.json", source.name), source.name)
    parts, used = load_parts(folder, source)
    with told_in_one_line(source.name, folder):
        scheduler = diffusers.DDIMScheduler.load_config(folder, subfolder="scheduler", local_files_only=True)
    used += _configuration(folder)
    parts = _grouped(parts, family, bool(index.get("force_zeros_for_empty_prompt", family is ModelFamily.TWO_TEXTS)))
    return parts | {"scheduler": _as_ddim(scheduler, source.name)}, fingerprint(used)


def load_parts(folder: Path, source: ModelSource) -> tuple[dict[str, Any], list[Path]]:
    """The networks, float32 on the CPU, and the tokenizers of a folder in the diffusers layout, by the names of their
    parts; and the files of the weights.

    Raises:
        ModelError: it belongs to no supported family, is damaged, or lacks the variant that was asked for.
    """
    import diffusers
    import transformers

    index = read_configuration(folder / hub.INDEX, source.name)
    family = family_of(index, source.name)
    parts: dict[str, Any] = {}
    used, variants = [], []
    with told_in_one_line(source.name, folder):
        for part in family.with_weights:
            names = [p.name for p in (folder / part).glob("*") if p.is_file()]
            variant = variant_of(names, source, part)
            loader = getattr(transformers if "text" in part else diffusers, index[part][1])
            how = {"dtype": torch.float32} if "text" in part else {"torch_dtype": torch.float32}
            parts[part] = loader.from_pretrained(
                folder, subfolder=part, variant=variant, use_safetensors=True, local_files_only=True, **how
            )
            variants.append(variant)
            used += [folder / part / n for n in weights_in(names, variant)]
        for part in family.tokenizers:
            parts[part] = transformers.CLIPTokenizer.from_pretrained(folder, subfolder=part, local_files_only=True)
    check_variant(variants, source)
    return parts, used


def from_file(source: ModelSource) -> tuple[dict[str, Any], str]:
    """The parts of a model in one .safetensors file in the layout of the original Stable Diffusion, float32 on the CPU,
    and its fingerprint.

    Its configuration is that of the folder around it, if that is a model, else that of the hub model which
    diffusers takes it for.

    Raises:
        ModelError: it is another kind of file, belongs to no supported family, is damaged, or its configuration cannot
            be fetched.
    """
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
    from diffusers.loaders.single_file_utils import (
        fetch_diffusers_config,
        infer_diffusers_model_type,
        load_single_file_checkpoint,
    )

    path = Path(source.name)
    if path.suffix != ".safetensors":
        raise ModelError(f'"{source.name}" is a {path.suffix or "file"}; {SUPPORTED}; other files may hold programs')
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
    kind = StableDiffusionPipeline if family is ModelFamily.ONE_TEXT else StableDiffusionXLPipeline
    with told_in_one_line(source.name, path):
        pipe = kind.from_single_file(
            str(path), config=str(folder), local_files_only=True, torch_dtype=torch.float32, **WITHOUT[family]
        )
    return from_pipeline(pipe, family, source.name), fingerprint([path, *_configuration(folder)])


NAME = "pretrained_model_name_or_path"
WITHOUT: dict[ModelFamily, dict[str, Any]] = {
    ModelFamily.ONE_TEXT: {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    ModelFamily.TWO_TEXTS: {"add_watermarker": False},
}


def from_pipeline(pipe: Any, family: ModelFamily, name: str) -> dict[str, Any]:
    """The parts of a loaded diffusers pipeline, shared with it; `name` is what messages call it.

    Raises:
        ModelError: its U-Net or scheduler is not supported.
    """
    check_unet(pipe.unet.config, pipe.vae.config, family, name)
    config = {"_class_name": type(pipe.scheduler).__name__, **pipe.scheduler.config}
    check_scheduler(config, name)
    found = {part: getattr(pipe, part) for part in (*family.with_weights, *family.tokenizers)}
    zero = bool(pipe.config.get("force_zeros_for_empty_prompt", family is ModelFamily.TWO_TEXTS))
    return _grouped(found, family, zero) | {"scheduler": _as_ddim(config, name)}


def _configuration(folder: Path) -> list[Path]:
    """The files of a folder that define a model beside its weights: its index, and the configurations of its networks,
    its sampler and its tokenizers."""
    parts = [p for p in folder.glob("*/*") if p.suffix in (".json", ".txt") and ".index." not in p.name]
    return [folder / hub.INDEX, *parts]


def _grouped(parts: dict[str, Any], family: ModelFamily, empty_is_zero: bool) -> dict[str, Any]:
    pairs = zip(family.tokenizers, family.value, strict=True)
    encoders = tuple(TextEncoder(parts[tokenizer], parts[network]) for tokenizer, network in pairs)
    return {"unet": parts["unet"], "vae": parts["vae"], "texts": TextEncoders(encoders, empty_is_zero)}


def _as_ddim(config: dict[str, Any], name: str) -> Any:
    """DDIM over the noise levels of any sampler's configuration."""
    from diffusers import DDIMScheduler

    kind = config["_class_name"]
    if kind != "DDIMScheduler":
        warnings.warn(Notice(f"{name} is sampled with DDIM and not with its own {kind}"), stacklevel=2)
    return DDIMScheduler.from_config(config, clip_sample=False, thresholding=False)


def mark_of_weights(parts: dict[str, Any]) -> str:
    """A fingerprint (16 hex digits) of networks in memory: of every tensor's name, shape and sum, and of the
    scheduler's configuration."""
    digest = hashlib.sha256()
    networks = [parts["unet"], parts["vae"], *(e.network for e in parts["texts"].encoders)]
    for network in networks:
        for name, weight in network.state_dict().items():
            digest.update(f"{name} {tuple(weight.shape)} {float(weight.double().sum()):.17g}".encode())
    digest.update(json.dumps(dict(parts["scheduler"].config), sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def read_configuration(path: Path, name: str) -> dict[str, Any]:
    """A configuration as a dictionary.

    Raises:
        ModelError: it is not there, or damaged.
    """
    if not path.is_file():
        raise ModelError(f'"{name}" is not a model in the diffusers layout: {path.name} is missing in {path.parent}')
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelError(f'"{name}": {path} is not readable as JSON; fetch the model again') from error


@contextlib.contextmanager
def told_in_one_line(name: str, place: Path) -> Iterator[None]:
    """Quiet the libraries, and turn whatever they raise into a `ModelError`: a cut-off or foreign file can fail
    anywhere in them."""
    with quiet_libraries():
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f'"{name}" could not be loaded from {place}: {first_line(error)}') from error


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let diffusers and transformers draw no progress bars and say nothing but errors."""
    import diffusers.utils.logging as diffusers_logging
    import transformers.utils.logging as transformers_logging

    libraries = (diffusers_logging, transformers_logging)
    before = [(log.is_progress_bar_enabled(), log.get_verbosity()) for log in libraries]
    for log in libraries:
        log.disable_progress_bar()
        log.set_verbosity_error()
    try:
        yield
    finally:
        for log, (bars, verbosity) in zip(libraries, before, strict=True):
            log.set_verbosity(verbosity)
            if bars:
                log.enable_progress_bar()
