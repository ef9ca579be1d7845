"""A vision transformer (Dosovitskiy et al., arXiv 2010.11929) as what tells structure and look of pictures: by the keys
of its last layer (Tumanyan et al., arXiv 2201.00424)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoModel

from inversion.errors import ModelError, first_line
from inversion.libraries import quiet_libraries
from inversion.loading import check_weights

KEYS = re.compile(r"(?:.*\.)?(?:layers?|blocks)\.(\d+)\.attention\.(?:k_proj|attention\.key)")  # transformers 5, 4
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, as DINO was shown them


@dataclass(frozen=True, eq=False)
class TransformerDescriptor:
    """A loaded network. `keys`: the module whose output is the keys of its last layer."""

    name: str
    network: Any
    keys: str

    def __call__(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """The keys of the patches (n, C), and that of the class token (1, C); see `PictureDescriptor`."""
        config, device = self.network.config, next(self.network.parameters()).device
        side = config.image_size if isinstance(config.image_size, int) else config.image_size[0]
        shown = F.interpolate(picture.to(device), size=(side, side), mode="bicubic", antialias=True)
        mean, spread = (torch.tensor(v, device=device)[:, None, None] for v in (MEAN, SPREAD))
        found: list[Tensor] = []
        handle = self.network.get_submodule(self.keys).register_forward_hook(lambda *call: found.append(call[2]))
        try:
            self.network(pixel_values=(shown - mean) / spread)
        finally:
            handle.remove()
        patches = (side // config.patch_size) ** 2
        return found[0][0, -patches:].float(), found[0][0, :1].float()


def load_vision_transformer(name: str, device: str | torch.device, *, offline: bool = False) -> TransformerDescriptor:
    """That of a folder or hub id, such as facebook/dino-vitb8.

    Raises:
        ModelError: it cannot be had or is damaged, or is none.
    """
    if Path(name).is_file():
        raise ModelError(f"--vit {name} is a file; give a folder or a hub id, such as facebook/dino-vitb8")
    try:
        with quiet_libraries():
            network = AutoModel.from_pretrained(
                name, use_safetensors=True, local_files_only=offline or Path(name).is_dir()
            )
    except Exception as error:  # whatever a cut-off or foreign file leads to
        raise ModelError(f"--vit {name} cannot be had ({first_line(error)}); give a folder or a hub id") from error
    layers = {int(m[1]): path for path, _ in network.named_modules() if (m := KEYS.fullmatch(path))}
    if not layers or not all(hasattr(network.config, field) for field in ("image_size", "patch_size")):
        kind = type(network).__name__
        raise ModelError(f"--vit {name} is a {kind}; expected a vision transformer such as facebook/dino-vitb8")
    check_weights(network, "vision transformer", name)
    return TransformerDescriptor(name, network.to(device).eval().requires_grad_(False), layers[max(layers)])
