"""ControlNet (Zhang et al., arXiv 2302.05543): a copy of the U-Net's encoder that is shown a map, such as edges or
depth, and adds what it makes of it to the U-Net's activations. Several are added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from inversion.errors import EditError, ModelError, first_line
from inversion.libraries import quiet_libraries
from inversion.loading import check_weights
from inversion.model import DiffusionModel
from inversion.text import Embedding
from inversion.weights import bundled_samples
from realedit.geometry.crop import Crop
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from realedit.images import resize
from realedit.morphology import dilate

BUNDLED_EDGES = "tabletop-edges"  # the ControlNet of the bundled model, which follows Canny's edges
OBJECT_RIM = 0.025  # of the shorter side: how far beyond an object's mask a map may show its edge
SAME_SHAPE = 0.02  # of the ratio of width and height: how far a map may be off its picture's


@dataclass(frozen=True, eq=False)
class ControlMap:
    """A ControlNet, the `picture` (1, 3, H, W) that it is shown, and its strength."""

    network: Any
    picture: Tensor
    scale: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the map."""
        return self.picture.shape[-1], self.picture.shape[-2]

    def check(self, size: tuple[int, int]) -> None:
        """Raises `EditError` if the map has another shape than a picture of this (width, height)."""
        (width, height), (wide, high) = self.size, size
        if abs(width / height * high / wide - 1) > SAME_SHAPE:
            raise EditError(f"the control map is {width}x{height}, the picture {wide}x{high}; give one of its shape")

    def cut_out(self, crop: Crop) -> "ControlMap":
        """The same of a part of the photo."""
        return replace(self, picture=crop.cut_out(resize(self.picture, crop.size)))

    def rearranged(self, objects: Iterable[tuple[Tensor, Sequence[Placement]]]) -> "ControlMap":
        """The same of a picture of the masks' size in which objects, each a mask (1, 1, h, w) and where it is placed,
        have gone: where one stood the map says nothing (0: no edge, far away), else it would hold it there; what it
        says of the object goes along."""
        moved = [(dilate(mask, OBJECT_RIM), placements) for mask, placements in objects]
        if not moved:
            return self
        own = resize(self.picture, (moved[0][0].shape[-1], moved[0][0].shape[-2]))
        picture = own
        for mask, _ in moved:
            picture = picture * (1 - mask)
        for mask, placements in moved:
            for placement in placements:
                there = warp(mask, placement)
                picture = warp(own * mask, placement) + (1 - there) * picture
        return replace(self, picture=picture.clamp(0, 1))

    def hint(self, z: Tensor) -> Tensor:
        """The map at the size that belongs to latents (B, C, h, w), for each of them."""
        factor = 2 ** (len(self.network.config.conditioning_embedding_out_channels) - 1)
        sized = resize(self.picture, (z.shape[-1] * factor, z.shape[-2] * factor))
        return sized.to(z.device, self.network.dtype).expand(len(z), -1, -1, -1)


@dataclass(frozen=True, eq=False)
class ControlResiduals:
    """The `ResidualInputs` of some maps, for a model."""

    model: DiffusionModel
    maps: Sequence[ControlMap]

    def __call__(self, z: Tensor, t: int, texts: Embedding) -> Mapping[str, Any]:
        down: list[Tensor] = []
        mid: Tensor | None = None
        for each in self.maps:
            kind = each.network.dtype
            skips, middle = each.network(
                z.to(kind),
                t,
                encoder_hidden_states=texts.tokens.to(kind),
                controlnet_cond=each.hint(z),
                conditioning_scale=each.scale,
                added_cond_kwargs=self.model.conditions(texts, z),
                return_dict=False,
            )
            down = [a + b for a, b in zip(down, skips, strict=True)] if down else list(skips)
            mid = middle if mid is None else mid + middle
        return {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": mid}


def control_residuals(model: DiffusionModel, maps: Sequence[ControlMap]) -> ControlResiduals | None:
    """None where there are no maps."""
    return ControlResiduals(model, maps) if maps else None


def load_controlnet(name: str, model: DiffusionModel, *, offline: bool = False) -> Any:
    """The ControlNet of a folder or hub id, or the bundled one, on the model's device and in its type.

    Raises:
        ModelError: it cannot be had or is damaged, or belongs to another kind of model.
    """
    from diffusers import ControlNetModel  # slow, and most edits have no map

    place = bundled_samples() / BUNDLED_EDGES if name == BUNDLED_EDGES and not Path(name).exists() else name
    try:
        with quiet_libraries():
            network = ControlNetModel.from_pretrained(place, use_safetensors=True, local_files_only=offline)
    except Exception as error:  # whatever a cut-off or foreign file leads to
        raise ModelError(
            f"the ControlNet {name} cannot be had ({first_line(error)}); give {BUNDLED_EDGES}, a folder or a hub id"
        ) from error
    mine, theirs = model.unet.config, network.config
    for field in ("in_channels", "cross_attention_dim", "block_out_channels"):
        if _listed(theirs.get(field)) != _listed(mine.get(field)):
            raise ModelError(
                f"the ControlNet {name} is for another kind of model than {model.name}: its {field} is "
                f"{theirs.get(field)}, expected {mine.get(field)}"
            )
    check_weights(network, "ControlNet", name)
    return network.to(model.device, model.unet.dtype).eval().requires_grad_(False)


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
