"""The part of a photo that an edit works on, edited: what both ways to make an edit end with."""

from dataclasses import dataclass

from torch import Tensor

from realedit.compositing.composite import Composite
from realedit.compositing.scene import LayeredScene
from realedit.evaluation.report_parts import FillReport, GuidanceReport, ObjectReport
from realedit.files.photo import Photo
from realedit.geometry.camera import Camera
from realedit.geometry.crop import Crop
from realedit.morphology import union


@dataclass(frozen=True, eq=False)
class SampledPictures:
    """What a model made on the way, each (1, 3, h, w) at its own size: the `image` that it saw, the composite as it
    was `planned`, and what it `generated` of that; how its energies went (`guidance`), whether the inversion came from
    the cache, and if the session is traced the `explanation` of the guided run, a picture (1, 3, H, W)."""

    image: Tensor
    planned: Tensor
    generated: Tensor
    guidance: GuidanceReport | None
    cached: bool
    explanation: Tensor | None = None


@dataclass(frozen=True, eq=False)
class EditedPart:
    """The `photo` in which the `crop` of an edit ended, the `camera` and what became of the `objects`.

    `scene` and `composite` are those that objects were set down in first: at the model's size, or at the part's own
    where no model was asked; `full` and `final` are those at the part's own size. `fill`: what filled old places,
    None where there are none. `sampled`: None where no model was asked.
    """

    crop: Crop
    photo: Photo
    camera: Camera
    scene: LayeredScene
    composite: Composite
    full: LayeredScene
    final: Composite
    objects: list[ObjectReport]
    fill: FillReport | None = None
    sampled: SampledPictures | None = None

    def intermediates(self) -> dict[str, Tensor]:
        """Pictures of the way there, (1, 3 or 1, h, w) at the composite's size, by name; `explanation` at its own."""
        pictures = {
            "object": union([edit.mask for edit in self.scene.objects], self.composite.hole),
            "plate": self.scene.clean_plate.image,
            "rough": self.composite.image,
            "hole": self.composite.hole,
            "touched": self.composite.editable,
        }
        if self.sampled is None:
            return pictures
        planned, generated = self.sampled.planned, self.sampled.generated
        pictures |= {"rough": planned, "generated": generated}
        if self.sampled.explanation is not None:
            pictures["explanation"] = self.sampled.explanation
        return pictures
