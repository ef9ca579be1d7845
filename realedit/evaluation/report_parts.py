"""What a report says of what an edit dealt with: its objects, guidance, the camera, the old place, the mode."""

from dataclasses import dataclass

from torch import Tensor

from realedit.geometry.boxes import mask_centre
from realedit.geometry.crop import Crop
from realedit.geometry.transform import Point
from realedit.objects.attention_probe import Detection


@dataclass(frozen=True)
class GuidanceReport:
    """How the energy went: at the first and the last measurement, its goal, the last strength, and the `most` that it
    may be."""

    first: float
    last: float
    goal: float
    strength: float
    most: float

    @property
    def met(self) -> bool:
        """Whether the energy came down to its goal."""
        return self.last <= self.goal

    def to_text(self) -> str:
        if self.first <= self.goal:
            return f"energy {self.first:.3f}, nothing asked (goal {self.goal:g})"
        limits = f"strength {self.strength:.2f} of at most {self.most:g}"
        return f"energy {self.first:.3f} to {self.last:.3f} (goal {self.goal:g}), {limits}"


@dataclass(frozen=True)
class ObjectReport:
    """One object after the edit. Positions are fractions (x, y), sizes shares of the frame; `asked_...`
    is None where it was removed, `reached_...` where it could not be measured, and `note` says why."""

    phrase: str
    words: str
    asked_position: Point | None
    asked_size: float
    reached_position: Point | None
    reached_size: float | None
    note: str | None

    @classmethod
    def of(
        cls, phrase: str, words: str, target: Tensor, found: Detection | None, crop: Crop, *, why: str
    ) -> "ObjectReport":
        """`target` (1, 1, h, w) is where it was asked to be, `found` where the model sees it, both in the part
        of the photo that `crop` shows, and `why` it does not."""
        there = bool(target.any())
        share = crop.extent[0] * crop.extent[1] / (crop.size[0] * crop.size[1])
        return cls(
            phrase=phrase,
            words=words,
            asked_position=crop.from_crop(mask_centre(target)) if there else None,
            asked_size=float(target.mean()) * share,
            reached_position=crop.from_crop(found.position) if found else None,
            reached_size=found.size * share if found else None,
            note=None if found or not there else why,
        )

    def to_text(self) -> str:
        name = f'"{self.phrase}"' if self.words == self.phrase else f'"{self.phrase}" as "{self.words}"'
        if self.asked_position is None:
            return f"{name} removed"
        x, y = self.asked_position
        asked = f"{name} asked ({x:.3f}, {y:.3f}), size {self.asked_size:.1%}"
        if self.reached_position is None or self.reached_size is None:
            return f"{asked}; not measured: {self.note}"
        x, y = self.reached_position
        return f"{asked}; measured ({x:.3f}, {y:.3f}), size {self.reached_size:.1%}"


@dataclass(frozen=True)
class CameraReport:
    """How many degrees down the camera is taken to look, and whether the user said so."""

    pitch: float
    given: bool

    def to_text(self) -> str:
        how = "as given" if self.given else "as far as lines and outlines tell"
        return f"looks down by {self.pitch:.0f} degrees, {how}"


@dataclass(frozen=True)
class FillReport:
    """By what (`name`) the places were filled that objects left, and why by that."""

    name: str
    why: str

    def to_text(self) -> str:
        return f"by {self.name}: {self.why}"


@dataclass(frozen=True)
class ModeReport:
    """How an edit was made (`name`), and why so."""

    name: str
    why: str

    def to_text(self) -> str:
        return f"{self.name}: {self.why}"
