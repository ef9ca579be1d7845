"""What marks on a picture mean, as MobileSAM (Zhang et al., arXiv 2306.14289) sees it, whose published weights come
with the program. It was distilled from Segment Anything, which was trained on photos of all kinds."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.weights import bundled_samples
from realedit.geometry.transform import Box, Point
from realedit.objects.mask_decoder import BOTTOM_RIGHT, INSIDE, OUTSIDE, TOP_LEFT, MaskDecoder
from realedit.objects.tiny_vit import TinyViT

LEVEL_CELL = 4  # pixels of what it is shown: how fine its masks are
COLOUR_MEAN, COLOUR_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the colours that it was trained with


@dataclass(frozen=True)
class Prompt:
    """What is marked on a picture, in fractions of it: points `inside` an object and `outside` it, and a `box`."""

    inside: tuple[Point, ...] = ()
    outside: tuple[Point, ...] = ()
    box: Box | None = None


@dataclass(frozen=True, eq=False)
class Proposals:
    """Four masks of what a prompt may mean: the first if it leaves no doubt, the others about a part, a thing, and what
    holds it. `levels` (4, h, w): above 0 inside. `overlaps` (4,): the IoU that each is expected to have."""

    levels: Tensor
    overlaps: Tensor


class MobileSam(nn.Module):
    """A picture's features, and the masks that prompts mean in it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = TinyViT()
        self.decoder = MaskDecoder()


class SeenPicture:
    """A picture (h, w, 3) uint8, its longer side a multiple of 16, as the network sees it; it may then be asked often.
    The network was trained with 1024 pixels."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.size = rgb.shape[1], rgb.shape[0]
        self._side = max(self.size)
        colours = (torch.from_numpy(rgb).float() / 255 - torch.tensor(COLOUR_MEAN)) / torch.tensor(COLOUR_DEVIATION)
        beyond = (0, self._side - self.size[0], 0, self._side - self.size[1])
        square = F.pad(colours.permute(2, 0, 1)[None], beyond)
        with torch.inference_mode():
            self._features = mobile_sam().encoder(square.to(memory_format=torch.channels_last))

    def proposals(self, prompt: Prompt) -> Proposals:
        """What a prompt may mean, at the picture's size."""
        corners = () if prompt.box is None else (prompt.box[:2], prompt.box[2:])
        kinds = [INSIDE] * len(prompt.inside) + [OUTSIDE] * len(prompt.outside)
        kinds += [TOP_LEFT, BOTTOM_RIGHT] if corners else []
        places = torch.tensor([*prompt.inside, *prompt.outside, *corners]) * torch.tensor(self.size) / self._side
        with torch.inference_mode():
            levels, overlaps = mobile_sam().decoder(self._features, places.float(), torch.tensor(kinds))
            levels = F.interpolate(levels[None], scale_factor=LEVEL_CELL, mode="bilinear")[0]
        return Proposals(levels[:, : self.size[1], : self.size[0]].clone(), overlaps.clone())


@cache
def mobile_sam() -> MobileSam:
    """The network in float32, which a CPU is quickest with in channels-last order."""
    network = MobileSam()
    weights = load_file(bundled_samples() / "mobile_sam" / "mobile_sam.safetensors")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    network.encoder.to(memory_format=torch.channels_last)
    return network.eval()
