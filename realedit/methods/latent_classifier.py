"""A small classifier of noisy latents: which classes (colours, kinds of objects) a scene shows, at any noise level."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from inversion.errors import EditError, ModelError
from inversion.model import DiffusionModel
from realedit.files.access import shown_name

CLASSIFIER_HEADER, CLASSIFIER_TENSORS = "classifier.json", "classifier.safetensors"
DAMAGED = (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError, AttributeError)


class LatentClassifier(nn.Module):
    """Scores of `classes` for latents (B, channels, h, w), each the greatest over places, softly: a thing is somewhere.
    `model`: the fingerprint of the model whose latents they are."""

    def __init__(self, classes: Sequence[str], model: str, channels: int = 4, width: int = 32) -> None:
        super().__init__()
        self.classes, self.model, self.channels, self.width = tuple(classes), model, channels, width
        self.layers = nn.Sequential(
            nn.Conv2d(channels + 1, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 3 * width, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(3 * width, 3 * width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(3 * width, len(classes), 1),
        )

    def scores(self, z: Tensor, alpha_bar: Tensor) -> Tensor:
        """Scores (B, classes), of which the sigmoid is the probability that a class is there, for latents at the levels
        `alpha_bar`, a number or (B,)."""
        level = (alpha_bar.to(z).sqrt() * torch.ones(len(z), device=z.device)).view(-1, 1, 1, 1)
        maps = self.layers(torch.cat([z, level.expand(-1, 1, *z.shape[-2:])], dim=1)).flatten(2)
        return maps.logsumexp(-1) - torch.tensor(float(maps.shape[-1])).log()

    def position(self, word: str) -> int:
        """Of a class.

        Raises:
            EditError: there is none of that name.
        """
        if word not in self.classes:
            raise EditError(f'the classifier has no class "{word}"; it has {", ".join(self.classes)}')
        return self.classes.index(word)

    def log_probability(self, z: Tensor, alpha_bar: Tensor, words: Sequence[str]) -> Tensor:
        """The sum over classes of log p(it is there | z), (B,)."""
        wanted = [self.position(word) for word in words]
        return F.logsigmoid(self.scores(z, alpha_bar)[:, wanted]).sum(1)

    def header(self) -> str:
        """What its file of tensors lacks, as JSON."""
        told = {"classes": self.classes, "model": self.model, "channels": self.channels, "width": self.width}
        return json.dumps(told, indent=2) + "\n"


def load_classifier(folder: Path, model: DiffusionModel) -> LatentClassifier:
    """The classifier in a folder, on a model's device.

    Raises:
        ModelError: there is none, it is damaged, or it is of another model's latents.
    """
    try:
        told = json.loads((folder / CLASSIFIER_HEADER).read_text(encoding="utf-8"))
        found = LatentClassifier(told["classes"], told["model"], told["channels"], told["width"])
        found.load_state_dict(load_file(folder / CLASSIFIER_TENSORS))
    except DAMAGED as error:
        raise ModelError(
            f"{shown_name(folder)} is no classifier: {CLASSIFIER_HEADER} and {CLASSIFIER_TENSORS} are expected there"
        ) from error
    if found.model != model.fingerprint:
        raise ModelError(
            f"the classifier {shown_name(folder)} reads latents of another model ({found.model}) than {model.name} "
            f"({model.fingerprint})"
        )
    return found.to(model.device).eval().requires_grad_(False)
