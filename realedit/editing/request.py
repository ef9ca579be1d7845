"""What is asked of one photo, with all that the user says of it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.edits import Edit
from realedit.files.exif import focal_length
from realedit.files.photo import Photo
from realedit.geometry.camera import TYPICAL_FOCAL, Camera
from realedit.geometry.camera_estimation import estimate_camera, estimation_size
from realedit.geometry.object_pose import Silhouette
from realedit.geometry.transform import Point
from realedit.images import to_bytes
from realedit.objects.localisation import Given
from realedit.objects.source_objects import SourcePhoto


@dataclass(frozen=True, eq=False)
class EditRequest:
    """What is asked: the edits, on which photo, and where their objects are if the user said so.

    `masks` (1, 1, H, W) or `points` on them, by phrase, override what the words attend to; `others` are
    the photos that the edits' sources name. `pitch`: how far down the photo's camera looked, in degrees; None: as
    its upright lines tell."""

    photo: Photo
    prompt: str
    edits: tuple[Edit, ...]
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    points: Mapping[str, Point] = field(default_factory=dict)
    others: Mapping[str, SourcePhoto] = field(default_factory=dict)
    method: str = "null-text"
    pitch: float | None = None

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases that the edits name, each once."""
        return tuple(dict.fromkeys(phrase for edit in self.edits for phrase in edit.objects))

    def camera(self, objects: Iterable[Given]) -> Camera:
        """The camera that took the photo, in which these objects stand."""
        camera = Camera(self.photo.size, focal=focal_length(self.photo.exif, self.photo.size) or TYPICAL_FOCAL)
        if self.pitch is not None:
            return replace(camera, pitch=math.radians(self.pitch))
        picture = to_bytes(self.photo.small(estimation_size(self.photo.size)))
        return estimate_camera(camera, picture, [Silhouette.of(given.mask) for given in objects])

    def check_words(self, model: DiffusionModel) -> None:
        """Raises `PhraseError` unless the prompt holds every object once: said before anything slow."""
        for phrase in self.objects:
            model.positions(self.prompt, phrase)
