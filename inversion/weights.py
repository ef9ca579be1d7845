"""Where a model's files are, and which ones they are."""

import hashlib
from pathlib import Path

from inversion.errors import ModelError

BUNDLED = "tabletop"
PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}


def bundled_samples() -> Path:
    """The folder with the bundled checkpoint and photos, in a checkout and in an installed wheel."""
    installed = Path(__file__).parent / "samples"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "samples"


def find_weights(name_or_path: str) -> Path:
    """The folder of a model: bundled, given as a path, or fetched from the hub into its own cache.

    Raises:
        ModelError: it is none of these, or cannot be fetched.
    """
    if name_or_path == BUNDLED:
        return bundled_samples() / BUNDLED
    if Path(name_or_path).is_dir():
        return Path(name_or_path)
    if Path(name_or_path).suffix in PICKLES:
        raise ModelError(
            f'"{name_or_path}" is a pickle, which can run any program when it is loaded; use a folder in the '
            "diffusers layout with .safetensors files"
        )
    if name_or_path.count("/") != 1 or name_or_path.startswith((".", "/", "~")):
        raise ModelError(
            f'no model "{name_or_path}": expected "{BUNDLED}", a folder in the diffusers layout, '
            "or a hub id such as stable-diffusion-v1-5/stable-diffusion-v1-5"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    wanted = ["model_index.json"]
    wanted += [f"{p}/*" for p in ("scheduler", "tokenizer")]
    wanted += [f"{p}/{f}" for p in ("unet", "vae", "text_encoder") for f in ("config.json", "*model.safetensors")]
    try:
        return Path(snapshot_download(name_or_path, allow_patterns=wanted))
    except Exception as error:  # the hub library raises many unrelated types when it cannot reach a model
        raise ModelError(
            f'model "{name_or_path}" is not on this machine and could not be fetched '
            f"({type(error).__name__}); check the name and the network, or give a folder with --model"
        ) from error


def refuse_pickles(folder: Path, name: str, parts: tuple[str, ...]) -> None:
    """Raises `ModelError` if a part of a model has no safetensors weights: a pickle is a program."""
    for part in parts:
        pickles = sorted(p.name for p in (folder / part).glob("*") if p.suffix in PICKLES)
        if pickles and not any((folder / part).glob("*.safetensors")):
            raise ModelError(
                f'"{name}": the weights of its {part} are a pickle ({pickles[0]}), which can run any program when '
                "it is loaded; use a version of the model with .safetensors files"
            )


def fingerprint(folder: Path) -> str:
    """A hash of every file's name, size, head and tail: cheap for gigabytes, and weights differ there."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.glob("*/*") if p.suffix in (".json", ".safetensors", ".txt")):
        with path.open("rb") as file:
            head = file.read(1 << 16)
            file.seek(max(0, path.stat().st_size - (1 << 16)))
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}".encode() + head + file.read())
    return digest.hexdigest()[:16]
