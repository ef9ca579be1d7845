"""A direction from pictures without something to pictures with it: in the middle of a model's U-Net (h-space) and in
its latents. As a folder: numbers and what they belong to in JSON, tensors in safetensors."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.taps import Sites, tap
from inversion.text import Embedding
from realedit.files.access import shown_name

LAYER = "mid_block"  # of the U-Net: its output is the bottleneck
VERSION = 1  # raise when the meaning of a number or a tensor changes
HEADER, TENSORS = "direction.json", "direction.safetensors"
NAMES = ("bottleneck", "latent", "differences")


@dataclass(frozen=True)
class Level:
    """What was found at a noise level, told by its training `timestep`: the held-out accuracies of boundaries among
    bottlenecks and among latents, the mean `radius` of the inverted latents, and that of the same photos in fresh
    noise."""

    timestep: int
    bottleneck_accuracy: float
    latent_accuracy: float
    radius: float
    noised_radius: float


@dataclass(frozen=True)
class DirectionHeader:
    """What a direction belongs to. `model`: the fingerprint; `prompt`: under which the pictures were inverted;
    `timesteps`: of that inversion, the noisiest first; `mixing`: the index of the timestep at which boundaries part
    the pictures best; `scanned`: the levels that were tried; `pictures`: how many with it and without it; `gaps`: how
    far the means of both are apart along the normals of bottleneck and latent."""

    model: str
    model_name: str
    layer: str
    prompt: str
    timesteps: tuple[int, ...]
    mixing: int
    scanned: tuple[Level, ...]
    pictures: tuple[int, int]
    gaps: tuple[float, float]
    version: int = VERSION

    @property
    def found(self) -> Level:
        """At the mixing level."""
        return next(each for each in self.scanned if each.timestep == self.timesteps[self.mixing])


@dataclass(frozen=True, eq=False)
class Direction:
    """The unit normals of the boundaries among bottlenecks (1, c, h, w) and latents (1, C, H, W) at the mixing level,
    and the `differences` (steps, c, h, w) of the mean bottlenecks at every timestep."""

    header: DirectionHeader
    bottleneck: Tensor
    latent: Tensor
    differences: Tensor

    def require(self, model: DiffusionModel) -> None:
        """Raises `EditError` unless it belongs to this model, and to a layer that is known here."""
        told = self.header
        if told.model != model.fingerprint:
            raise EditError(
                f"the direction belongs to the model {told.model_name} ({told.model}), not to {model.name} "
                f"({model.fingerprint}); give --model, or fit it again"
            )
        if told.layer != LAYER:
            raise EditError(f'the direction belongs to the layer "{told.layer}", expected "{LAYER}"; fit it again')

    def difference(self, timestep: int, steps: int) -> Tensor:
        """The difference (1, c, h, w) of mean bottlenecks at the nearest timestep, for a run of so many `steps`: in
        fewer ones each counts for more (Asyrp, arXiv 2210.10960, section 3.3)."""
        times = self.header.timesteps
        nearest = min(range(len(times)), key=lambda i: abs(times[i] - timestep))
        return self.differences[nearest : nearest + 1].float() * (len(times) / steps)

    def files(self, folder: Path) -> dict[Path, bytes]:
        """The files of it in a folder, and what they hold."""
        tensors = {"bottleneck": self.bottleneck, "latent": self.latent, "differences": self.differences.half()}
        held = {name: tensor.contiguous() for name, tensor in tensors.items()}
        return {
            folder / TENSORS: save(held),
            folder / HEADER: (json.dumps(asdict(self.header), indent=2) + "\n").encode(),
        }


def load_direction(folder: Path) -> Direction:
    """The direction in a folder.

    Raises:
        EditError: there is none, or it is damaged.
    """
    try:
        told = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS)
        header = _header(told)
        direction = Direction(header, *(tensors[name] for name in NAMES))
        _check(direction)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EditError(
            f"{shown_name(folder)} is no direction: {HEADER} and {TENSORS} are expected there; "
            "make one with realedit direction fit"
        ) from error
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise EditError(f"the direction in {shown_name(folder)} is damaged or of another version; fit it again") from (
            error
        )
    return direction


def _header(told: dict[str, Any]) -> DirectionHeader:
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    return DirectionHeader(**{**fields, "scanned": tuple(Level(**each) for each in told["scanned"])})


def _check(direction: Direction) -> None:
    """Raises `ValueError` if numbers and tensors do not fit each other."""
    header, shapes = direction.header, [each.dim() for each in (direction.bottleneck, direction.differences)]
    whole = all(bool(each.isfinite().all()) for each in (direction.bottleneck, direction.latent, direction.differences))
    fits = len(direction.differences) == len(header.timesteps) and 0 <= header.mixing < len(header.timesteps)
    if header.version != VERSION or shapes != [4, 4] or direction.latent.dim() != 4 or not whole or not fits:
        raise ValueError("numbers and tensors do not fit each other")


def at_size(direction: Tensor, other: Tensor) -> Tensor:
    """A direction (1, C, h, w) on the grid of another tensor, as strong in every cell."""
    moved = direction.to(other.device, other.dtype)
    if moved.shape[-2:] == other.shape[-2:]:
        return moved
    return F.interpolate(moved, size=other.shape[-2:], mode="bilinear", align_corners=False)


@torch.no_grad()
def bottleneck(model: DiffusionModel, z: Tensor, timestep: int, rows: Sequence[Embedding]) -> tuple[Tensor, Tensor]:
    """What the middle of the network gives out for latents (B, C, h, w) under their texts, (B, c, h', w'), and its
    output."""
    with tap(model.unet, Sites(features=(LAYER,))) as tape:
        output = model.predict(z, timestep, rows)
    return tape.features[LAYER].float(), output
