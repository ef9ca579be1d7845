"""Where a model's files are, and which ones they are."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inversion.errors import ModelError

BUNDLED = "tabletop"
PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
WEIGHTS = re.compile(r"(?:diffusion_pytorch_)?model(?:\.(?P<variant>[^.]+?))?(?:-\d+-of-\d+)?\.safetensors")


@dataclass(frozen=True)
class ModelSource:
    """What a user calls a model: "tabletop" (bundled), a folder in the diffusers layout, a .safetensors file, or
    an id on the Hugging Face hub; of a hub model a `revision` (branch, tag or commit), of its weights a `variant`
    such as "fp16". `offline`: ask nobody."""

    name: str = BUNDLED
    revision: str | None = None
    variant: str | None = None
    offline: bool = False

    @property
    def is_file(self) -> bool:
        return Path(self.name).is_file()

    @property
    def folder(self) -> Path | None:
        """Where its files are, if they are on this machine by a name of its own; None for an id on the hub.

        Raises:
            ModelError: it is neither, or a pickle.
        """
        if self.name == BUNDLED:
            return bundled_samples() / BUNDLED
        path = Path(self.name)
        if path.is_dir():
            return path
        if path.suffix in PICKLES:
            raise ModelError(
                f'"{self.name}" is a pickle, which can run any program when it is loaded; use a .safetensors file, '
                "or a folder in the diffusers layout with such files"
            )
        if self.name.count("/") != 1 or self.name.startswith((".", "/", "~")) or path.suffix == ".safetensors":
            raise ModelError(
                f'no model "{self.name}": expected "{BUNDLED}", a folder in the diffusers layout, a .safetensors '
                "file, or a hub id such as stable-diffusion-v1-5/stable-diffusion-v1-5"
            )
        return None


def bundled_samples() -> Path:
    """The folder with the bundled checkpoint and photos, in a checkout and in an installed wheel."""
    installed = Path(__file__).parent / "samples"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "samples"


def variant_of(files: Iterable[str], source: ModelSource, part: str) -> str | None:
    """Which variant of its weights a part is loaded in, by the names of its files: that asked for, else plain
    ones, else what there is.

    Raises:
        ModelError: it has no weights, or only pickles, which are programs.
    """
    files = list(files)
    variants = {match["variant"] for name in files if (match := WEIGHTS.fullmatch(name))}
    if variants:
        for variant in (source.variant, None):
            if variant in variants:
                return variant
        return min(v for v in variants if v is not None)
    pickles = sorted(name for name in files if Path(name).suffix in PICKLES)
    if pickles:
        raise ModelError(
            f'"{source.name}": the weights of its {part} are a pickle ({pickles[0]}), which can run any program '
            "when it is loaded; use a version of the model with .safetensors files"
        )
    raise ModelError(f'"{source.name}" has no weights of its {part}; fetch the model again')


def weights_in(files: Iterable[str], variant: str | None) -> list[str]:
    """The files of one variant: all shards, and the list of them."""
    chosen = []
    for name in files:
        match = WEIGHTS.fullmatch(name)
        if (match and match["variant"] == variant) or ".safetensors.index." in name:
            chosen.append(name)
    return chosen


def check_variant(found: Sequence[str | None], source: ModelSource) -> None:
    """Raises `ModelError` if no part of a model has the variant that was asked for."""
    if source.variant is not None and source.variant not in found:
        others = ", ".join(sorted({v for v in found if v})) or "plain ones"
        raise ModelError(f'"{source.name}" has no weights of variant "{source.variant}"; it has: {others}')


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of every file's name, size, head and tail: cheap for gigabytes, and weights differ there."""
    digest = hashlib.sha256()
    for path in sorted(files):
        with path.open("rb") as file:
            head = file.read(1 << 16)
            file.seek(max(0, path.stat().st_size - (1 << 16)))
            name = f"{path.parent.name}/{path.name}"
            digest.update(f"{name} {path.stat().st_size}".encode() + head + file.read())
    return digest.hexdigest()[:16]
