"""Where a model's files are, and which of them hold weights."""

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
    """Where a model is loaded from.

    `name`: "tabletop" (bundled), a folder in the diffusers layout, a .safetensors file, or an id on the Hugging Face
    hub. `revision`: of a hub model, a branch, tag or commit. `variant`: of the weights, such as "fp16". `offline`: send
    no request to the hub. `option`: of the command line, with which messages say that another one is given.
    """

    name: str = BUNDLED
    revision: str | None = None
    variant: str | None = None
    offline: bool = False
    option: str = "--model"

    @property
    def is_file(self) -> bool:
        """Whether the name is that of a file on this machine."""
        return Path(self.name).is_file()

    @property
    def folder(self) -> Path | None:
        """The folder of the bundled model or of one that is named by its folder; None for an id on the hub.

        Raises:
            ModelError: the name is none of these, or that of a pickle.
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
    """The variant of its weights that a `part` of a model is loaded in, by the names of its `files`: the one asked for,
    else the plain one (None), else the first there is.

    Raises:
        ModelError: it has no weights, or only pickles, which can run programs.
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
    """Those of `files` that hold the weights of one variant: all shards, and their index."""
    chosen = []
    for name in files:
        match = WEIGHTS.fullmatch(name)
        if (match and match["variant"] == variant) or ".safetensors.index." in name:
            chosen.append(name)
    return chosen


def check_variant(found: Sequence[str | None], source: ModelSource) -> None:
    """Check the variants `found` of a model's parts.

    Raises:
        ModelError: none is the variant that was asked for.
    """
    if source.variant is not None and source.variant not in found:
        others = ", ".join(sorted({v for v in found if v})) or "plain ones"
        raise ModelError(f'"{source.name}" has no weights of variant "{source.variant}"; it has: {others}')
