"""How well a model attends to an object whose mask is known: what its words outline, and what is found from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from inversion.errors import EditError
from realedit.files.photo import Photo
from realedit.images import to_bytes
from realedit.objects.attention_probe import AttentionProbe, probe
from realedit.objects.recognition import probe_words
from realedit.objects.segmentation import object_mask, upsampled_attention
from realedit.objects.zoom_refinement import refine_by_zoom
from realedit.sampling.attention import attention_of
from realedit.sampling.session import Session

HALF_PEAK = 0.5  # of the peak: what of attention is compared with the object


@dataclass(frozen=True)
class AttentionQuality:
    """Overlaps (IoU, 0 to 1) with an object's true mask: of the half-peak attention of its words in every recorded
    layer, by name (`layers`), and of the masks that are found from `afar` and from `near`; and whether the model is
    `believed` to know what the mask shows by these words."""

    layers: Mapping[str, float]
    afar: float
    near: float
    believed: bool

    @property
    def attention(self) -> float:
        """The mean over the layers."""
        return fmean(self.layers.values())

    def numbers(self) -> dict[str, float]:
        """All of them, by what they say."""
        layers = {f"attention of {name}": value for name, value in self.layers.items()}
        return {"mask from afar": self.afar, "mask from near": self.near, "believed": float(self.believed), **layers}


def attention_quality(session: Session, image: Tensor, prompt: str, phrase: str, mask: Tensor) -> AttentionQuality:
    """Look for a phrase of the prompt in an image (1, 3, h, w) at the model's size, in which the object is where the
    `mask` (1, 1, h, w) says.

    Raises:
        PhraseError: the prompt does not contain the phrase exactly once.
    """
    tokens = session.model.positions(prompt, phrase)
    probed = probe(session, image, prompt)
    layers = {name: overlap(found, mask) for name, found in _half_peaks(probed, tokens).items()}
    try:
        afar = object_mask(image, probed.attention(tokens), phrase)
        near = refine_by_zoom(session.model, Photo(to_bytes(image)), prompt, phrase, afar)
    except EditError:  # it attends to nothing in particular
        afar = near = torch.zeros_like(mask)
    believed = probe_words(session, image, prompt, phrase).sees(mask)
    return AttentionQuality(layers, overlap(afar, mask), overlap(near, mask), believed)


def overlap(one: Tensor, two: Tensor) -> float:
    """The intersection of two masks over their union; 0 where both are empty."""
    return float((one * two).sum() / torch.maximum(one, two).sum().clamp(min=1))


def _half_peaks(probed: AttentionProbe, tokens: tuple[int, ...]) -> dict[str, Tensor]:
    """Where (1, 1, h, w) the words attend by at least half of their peak, by layer."""
    levels = [attention_of(words, tokens) for words in probed.words]
    found = {}
    for name in levels[0]:
        maps = torch.cat([level[name].sum(1) for level in levels]).cpu()
        found[name] = (upsampled_attention(maps, probed.size) > HALF_PEAK).float()
    return found
