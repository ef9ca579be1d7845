"""A model that is tried out, and what one check of it found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.weights import bundled_samples
from realedit.commands.demo import bundled_example
from realedit.edits import Move
from realedit.evaluation.metrics import PerceptualMetric
from realedit.evaluation.perceptual import perceptual_metric
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.images import resize
from realedit.objects.attention_quality import AttentionQuality, attention_quality
from realedit.objects.user_masks import load_mask
from realedit.sampling.inverted_image import model_image
from realedit.sampling.session import Session
from realedit.settings import Settings


@dataclass(frozen=True)
class Verdict:
    """Whether a check `passed`, the numbers in words, and the `numbers` themselves, by their names."""

    passed: bool
    said: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class KnownObject:
    """An object of a photo whose mask (1, 1, H, W) is known; `name` is how reports call it."""

    name: str
    photo: Photo
    prompt: str
    phrase: str
    mask: Tensor

    def quality(self, session: Session) -> AttentionQuality:
        """How well a model attends to it.

        Raises:
            PhraseError: the prompt does not name it exactly once.
        """
        image = model_image(session.model, self.photo)
        mask = (resize(self.mask, (image.shape[-1], image.shape[-2])) > 0.5).float()
        return attention_quality(session, image, self.prompt, self.phrase, mask)


def bundled_objects() -> tuple[KnownObject, ...]:
    """The objects of bundled photos of which the renderer drew the masks."""
    photos = bundled_samples() / "photos"
    found = []
    for entry in json.loads((photos / "masks.json").read_text()):
        photo, phrase = load_photo(photos / entry["photo"]), entry["object"]
        prompt = (photos / entry["photo"]).with_suffix(".txt").read_text().strip()
        found.append(KnownObject(phrase, photo, prompt, phrase, load_mask(photos / entry["mask"], photo)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class ModelUnderTest:
    """A model, and the bundled photos on which it is tried, or an object of the user's own photo (`calibration`)."""

    model: DiffusionModel
    settings: Settings
    offline: bool
    calibration: KnownObject | None = None

    @property
    def session(self) -> Session:
        return Session(self.model, self.settings)

    @property
    def perceptual(self) -> PerceptualMetric:
        return perceptual_metric(self.model, offline=self.offline)

    @property
    def known(self) -> tuple[KnownObject, ...]:
        """Objects whose masks are known."""
        return bundled_objects() if self.calibration is None else (self.calibration,)

    def example(self) -> tuple[Photo, str, Move]:
        """The bundled photo, its prompt, and the edit of it."""
        path, move = bundled_example()
        photo = load_photo(path)
        return photo, photo.description or path.with_suffix(".txt").read_text().strip(), move
