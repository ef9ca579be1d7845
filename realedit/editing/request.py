"""What is asked of one photo, with all that the user says of it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.edits import Duplicate, Edit, Move, Resize, Swap
from realedit.files.exif import focal_length
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.camera_estimation import estimate_camera, estimation_size
from realedit.geometry.object_pose import Silhouette
from realedit.images import to_bytes
from realedit.inpainting.filler import AutomaticFill, FillChoice, Filler
from realedit.methods.controlnet import ControlMap
from realedit.objects.source_objects import SourcePhoto
from realedit.sampling.map_reading import ATTENTION_MAPS, MapReading


@dataclass(frozen=True, eq=False)
class Hints:
    """What the user says beside the edits.

    `masks` (1, 1, H, W), 1 on the object, by phrase: they override what the words attend to. `front`: a mask
    (1, 1, H, W) of what stays in front of all that is set down. `sources`: the photos that
    the edits' sources name, by those names. `pitch`: how far down the photo's camera looked, in degrees; None: as its
    upright lines and its objects' outlines tell. `controls`: maps of the photo as it is, which what is regenerated
    follows, with its objects where they go. `read`: where the energies of what is regenerated read where words are.
    """

    masks: Mapping[str, Tensor] = field(default_factory=dict)
    sources: Mapping[str, SourcePhoto] = field(default_factory=dict)
    pitch: float | None = None
    front: Tensor | None = None
    controls: tuple[ControlMap, ...] = ()
    read: MapReading = ATTENTION_MAPS


@dataclass(frozen=True, eq=False)
class EditRequest:
    """The `edits` of a `photo` that its `prompt` describes, the user's `hints`, and what shall `fill` old places."""

    photo: Photo
    prompt: str
    edits: tuple[Edit, ...]
    hints: Hints = Hints()
    fill: FillChoice | Filler = AutomaticFill()

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases that the edits name, each once."""
        return tuple(dict.fromkeys(phrase for edit in self.edits for phrase in edit.objects))

    @property
    def turns(self) -> bool:
        """Whether an edit sets an object down anew, which is turned then as the camera sees it there."""
        return any(isinstance(edit, Move | Duplicate | Resize | Swap) for edit in self.edits)

    def camera(self, masks: Iterable[Tensor]) -> Camera:
        """The camera that took the photo, in which objects of these masks (1, 1, H, W) stand."""
        focal = focal_length(self.photo.metadata.exif, self.photo.size)
        camera = Camera(self.photo.size, focal=focal) if focal else Camera(self.photo.size)
        if self.hints.pitch is not None:
            return replace(camera, pitch=math.radians(self.hints.pitch))
        picture = to_bytes(self.photo.small(estimation_size(self.photo.size)))
        return estimate_camera(camera, picture, [Silhouette.of(mask) for mask in masks])

    def check_words(self, model: DiffusionModel) -> None:
        """Raises `PhraseError` unless the prompt holds every object once that is not marked: said before anything
        slow."""
        for phrase in self.objects:
            if phrase not in self.hints.masks:
                model.positions(self.prompt, phrase)
