"""Whether a picture may be one of those that a model draws, told by a small network that lies beside the model's own:
where it can be none of them, they need not be loaded."""

from itertools import pairwise
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.errors import ModelError

CLASSIFIER_FILE = "pictures.safetensors"  # in the model's folder
SEEN_SIDE = 64  # pixels of the square in which pictures are seen
WIDTHS = (3, 12, 24, 36, 48)  # channels before and after every level


class PictureClassifier(nn.Module):
    """Tells pictures of a model's kind from others, which it was trained against; it is sure only of what it refuses:
    `least` is so low that hardly any of the model's kind scores less."""

    least: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("least", torch.zeros(()))
        self.levels = nn.Sequential(*(_level(*pair) for pair in pairwise(WIDTHS)))
        self.head = nn.Linear(2 * WIDTHS[-1], 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores (n), the log-odds that pictures (n, 3, h, w) in [0, 1] are of the model's kind."""
        size = SEEN_SIDE, SEEN_SIDE
        maps = self.levels(F.interpolate(pictures, size, mode="bilinear", antialias=True))
        return self.head(torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), 1))[:, 0]

    @torch.no_grad()
    def may_hold(self, picture: Tensor) -> bool:
        """Whether a picture (1, 3, h, w) may be one of the model's kind."""
        return bool(self(picture.cpu()) >= self.least)

    def save(self, folder: Path) -> None:
        """Write it into a model's folder, in half precision."""
        halves = {name: tensor.half().contiguous() for name, tensor in self.state_dict().items()}
        save_file(halves, folder / CLASSIFIER_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """That of a model's folder, if it has one.

        Raises:
            ModelError: it is damaged.
        """
        path = folder / CLASSIFIER_FILE
        if not path.is_file():
            return None
        found = cls()
        try:
            found.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
        except (SafetensorError, RuntimeError) as error:
            raise ModelError(f"{path} is no classifier of pictures; fetch the model again, or delete it") from error
        return found.eval().requires_grad_(False)


def _level(given: int, made: int) -> nn.Module:
    """Half the size, with more channels."""
    return nn.Sequential(
        nn.Conv2d(given, made, 3, stride=2, padding=1),
        nn.BatchNorm2d(made),
        nn.ReLU(),
        nn.Conv2d(made, made, 3, padding=1),
        nn.BatchNorm2d(made),
        nn.ReLU(),
    )
