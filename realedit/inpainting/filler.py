"""What fills holes, as a choice of the user's: values for what is typed, and the models that are loaded for it. No
torch at import."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from inversion.errors import EditError, ModelError
from realedit.engines import RePaint
from realedit.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+?(?P<file>/[\w./-]+\.onnx)?")  # OWNER/NAME, or OWNER/NAME/FILE.onnx
BEST_LAMA = "lama_fp32.onnx"  # of several exports in one repository, as Carve/LaMa-ONNX advises
EXPECTED = (
    "auto, migan, photo, model, repaint, a folder or hub id of an inpainting model, or LaMa as a file.onnx or hub id"
)


class Filler(Protocol):
    """Fills holes in photos."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def __call__(self, photo: "Tensor", hole: "Tensor", others: "Tensor") -> "Tensor":
        """The photo (1, 3, H, W) in [0, 1] with its `hole` (1, 1, H, W) filled; outside the hole it is the photo
        itself, bit for bit. `hole` and `others` hold where they are above 0.5; neither is copied from or gone by.

        Raises:
            EditError: they leave nothing to go by.
            ModelError: the model behind it draws no picture.
        """


@runtime_checkable
class PromptedFiller(Filler, Protocol):
    """A filler that samples from words."""

    def with_prompt(self, prompt: str, settings: Settings, on_step: Callable[[int], None]) -> Self:
        """The same filler, which samples the scene that `prompt` names with the steps, guidance scale and seed of the
        `settings`, and calls `on_step` after each step."""


@dataclass(frozen=True)
class AutomaticFill:
    """Whatever fits the photo and the model; the report says what, and why."""


@dataclass(frozen=True)
class MiganFill:
    """What MI-GAN draws, a small model of all kinds of photos that comes with the program, with the photo's detail."""


@dataclass(frozen=True)
class PhotoFill:
    """What the photo has around the hole."""


@dataclass(frozen=True)
class ModelFill:
    """The text-to-image model's plate, with the photo's detail."""


@dataclass(frozen=True)
class RepaintFill:
    """The text-to-image model, which draws the hole from noise by RePaint."""

    engine: RePaint = RePaint()


@dataclass(frozen=True)
class GivenFill:
    """A model that is made for holes. `source`: a folder or hub id of an inpainting checkpoint; an .onnx file with
    LaMa, a folder or hub id of one, or OWNER/NAME/FILE.onnx where a hub repository has several."""

    source: str


FillChoice = AutomaticFill | MiganFill | PhotoFill | ModelFill | RepaintFill | GivenFill

NAMED_CHOICES: dict[str, FillChoice] = {
    "auto": AutomaticFill(),
    "migan": MiganFill(),
    "photo": PhotoFill(),
    "model": ModelFill(),
    "repaint": RepaintFill(),
}


def parse_fill(text: str) -> FillChoice:
    """The choice that is typed as `text`; a folder with the name of a word is given as ./auto.

    Raises:
        EditError: it is none of the words, no file or folder here, and no hub id.
    """
    if text in NAMED_CHOICES:
        return NAMED_CHOICES[text]
    path = Path(text)
    if path.is_file() and path.suffix != ".onnx":
        raise EditError(f'--fill "{text}" is a {path.suffix or "file"}; expected {EXPECTED}')
    if text and path.exists():
        return GivenFill(text)
    match = HUB_ID.fullmatch(text)
    if match is None or (path.suffix == ".onnx" and match["file"] is None):
        raise EditError(f'--fill "{text}": no such file or folder; expected {EXPECTED}')
    return GivenFill(text)


def load_filler(choice: GivenFill, device: str = "auto", *, offline: bool = False) -> Filler:
    """The filler of a given model, on a device, in float32 on a CPU and bfloat16 elsewhere. An inpainting checkpoint is
    a `PromptedFiller`. `offline`: send no request to the hub.

    Raises:
        ModelError: the model is not on this machine and cannot be fetched, or is neither LaMa as ONNX nor a Stable
            Diffusion 1.x, 2.x or SDXL inpainting checkpoint.
        RealEditError: the device does not exist on this machine.
    """
    from inversion import hub
    from inversion.weights import ModelSource
    from realedit.inpainting.inpainting_checkpoint import load_inpainting_checkpoint
    from realedit.inpainting.lama import load_lama

    if Path(choice.source).is_file():
        return load_lama(Path(choice.source), device)
    match = HUB_ID.fullmatch(choice.source)
    file = (match and match["file"]) or ""
    source = ModelSource(choice.source.removesuffix(file), offline=offline, option="--fill")
    folder = source.folder
    names = [file[1:]] if file else [p.name for p in folder.iterdir()] if folder else hub.file_names(source)
    if hub.INDEX in names:
        return load_inpainting_checkpoint(source, device)
    name = _lama_among(names, source.name)
    return load_lama(folder / name if folder else hub.fetch_file(source, name), device)


def _lama_among(names: list[str], source: str) -> str:
    """Which of a repository's files is taken for LaMa.

    Raises:
        ModelError: none, or several that could be.
    """
    exports = [name for name in names if name.endswith(".onnx")]
    best = [name for name in exports if PurePosixPath(name).name == BEST_LAMA] or exports
    if not best:
        raise ModelError(
            f'--fill "{source}" has neither a model_index.json, as inpainting checkpoints have, nor an .onnx file, '
            f"as LaMa has; expected {EXPECTED}"
        )
    if len(best) > 1:
        raise ModelError(f'--fill "{source}" has several .onnx files; name one: {source}/{" or ".join(sorted(best))}')
    return best[0]
