"""What a file or folder is that is given as a model and is none: told by its first bytes, and by the names of its
tensors and files, before anything is loaded."""

import json
import re
from collections.abc import Collection
from pathlib import Path

from safetensors import SafetensorError, safe_open

from inversion.errors import ModelError, first_line
from inversion.families import SUPPORTED

HEADS = {
    b"version https://git-lfs": "a git-lfs pointer and not the file itself; get it with git lfs pull",
    b"<!DOCTYPE": "a web page; fetch the model again",
    b"<!doctype": "a web page; fetch the model again",
    b"<html": "a web page; fetch the model again",
    b"PK\x03\x04": "a pickle, which can run any program when it is loaded",
    b"\x80\x02": "a pickle, which can run any program when it is loaded",
    b"GGUF": "a GGUF file, whose weights are quantised",
}
"""What a file is, by its first bytes."""

LORA = "a LoRA, which changes a model and is none; load it into a diffusers pipeline, and save that as a folder"
TENSORS = {
    r"lora[_.](up|down|A|B|mid|unet|te)\b|lora_(unet|te\d?)_|\.lora\.|\.hada_w|\.lokr_w|\.dora_scale|\.oft_": LORA,
    r"^(emb_params|string_to_param.*|clip_[lg]|<.*>)$": "a textual inversion, which is one word of a model",
    r"^(ip_adapter|image_proj)\.": "an IP-Adapter, which shows a model pictures and is none",
    r"^control_model\.|controlnet_cond_embedding|input_hint_block|controlnet_down_blocks": "a ControlNet, which steers "
    "a model and is none",
    r"double_blocks\.|joint_blocks\.|single_transformer_blocks\.|double_stream": "a transformer such as Flux or "
    "Stable Diffusion 3",
    r"motion_modules\.": "a motion module of AnimateDiff",
}
"""What a file is, by the name of any tensor."""

WHOLE = {
    "U-Net": r"^model\.diffusion_model\.",
    "autoencoder": r"^first_stage_model\.",
    "text encoder": r"^(cond_stage_model|conditioner\.embedders\.0)\.",
}
"""The parts of a model in the layout of the original Stable Diffusion, by the names of their tensors."""

ALONE = {
    "a U-Net alone": r"^(model\.diffusion_model\.|down_blocks\.\d|input_blocks\.\d|unet\.)",
    "an autoencoder alone": r"^(first_stage_model\.|(en|de)coder\.(down|up|mid|conv)|post_quant_conv|vae\.)",
    "a text encoder alone": r"^(cond_stage_model|conditioner|text_model|transformer\.resblocks|embeddings)\.",
}
CLASSES_ALONE = {
    "UNet2DConditionModel": "a U-Net alone",
    "AutoencoderKL": "an autoencoder alone",
    "CLIPTextModel": "a text encoder alone",
    "CLIPTextModelWithProjection": "a text encoder alone",
    "ControlNetModel": "a ControlNet, which steers a model and is none",
}
"""What a folder with one network is, by the class that its configuration names."""


def check_head(path: Path, name: str) -> None:
    """Check by a file's first bytes that it may hold what its name says; `name` is what messages call the model.

    Raises:
        ModelError: it is empty or of another kind.
    """
    with path.open("rb") as file:
        head = file.read(max(map(len, HEADS)))
    if not head:
        raise ModelError(f'"{name}": {path} is empty; fetch the model again')
    for start, what in HEADS.items():
        if head.startswith(start):
            raise ModelError(f'"{name}": {path} is {what}')


def check_single_file(path: Path) -> None:
    """Check by the names of its tensors that a .safetensors file holds a whole model.

    Raises:
        ModelError: it does not; the message says what it is.
    """
    check_head(path, str(path))
    what = _kind_of(_tensor_names(path))
    if what:
        raise ModelError(f'"{path}" is {what}; {SUPPORTED}')


def what_folder(folder: Path) -> str | None:
    """What a folder without a `model_index.json` is, in words; None if nothing tells."""
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    if not any(folder.iterdir()):
        return "an empty folder"
    if any(name.endswith(".onnx") for name in files):
        return "exported to ONNX, which has no gradients"
    if "adapter_config.json" in files:
        return LORA
    if "config.json" in files:
        return _named_in(folder / "config.json")
    for name in files:
        if name.endswith(".safetensors"):
            what = _kind_of(_tensor_names(folder / name))
            return what or f"a folder with the single file {name}; give that file itself"
    return "a folder with pickles alone" if any(n.endswith((".ckpt", ".bin", ".pt", ".pth")) for n in files) else None


def _named_in(configuration: Path) -> str | None:
    """What the class that a configuration names is, in words."""
    try:
        config = json.loads(configuration.read_text(encoding="utf-8"))
        kind = str(config.get("_class_name") or (config.get("architectures") or [config["model_type"]])[0])
    except (ValueError, TypeError, LookupError, AttributeError, OSError):
        return None
    return CLASSES_ALONE.get(kind, f"a {kind} alone")


def _tensor_names(path: Path) -> list[str]:
    """The names of a file's tensors.

    Raises:
        ModelError: it is no whole .safetensors file.
    """
    check_head(path, str(path))
    try:
        with safe_open(path, framework="pt") as file:
            return list(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f'"{path}" could not be loaded: {first_line(error)}; fetch the file again') from error


def _kind_of(names: Collection[str]) -> str | None:
    """What tensors of these names are, in words; None if they may be a whole model in one file."""
    for pattern, what in TENSORS.items():
        if any(re.search(pattern, name) for name in names):
            return what
    missing = [part for part, pattern in WHOLE.items() if not any(re.search(pattern, name) for name in names)]
    if not missing:
        return None
    if len(missing) < len(WHOLE) - 1:
        return f"a model without its {' and '.join(missing)}"
    for what, pattern in ALONE.items():
        if any(re.search(pattern, name) for name in names):
            return what
    return f"no model: its tensors have names such as {min(names)}" if names else "a file without tensors"
