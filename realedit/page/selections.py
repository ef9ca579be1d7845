"""What is selected on the page: found where it is marked, and put right with a brush."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inversion.errors import EditError
from realedit.files.photo import Photo
from realedit.files.recipe import Region
from realedit.files.writing import save_mask
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Box, Point
from realedit.jobs.regions import region_mask
from realedit.objects.source_objects import UNNAMED
from realedit.page.sizes import view_size
from realedit.page.views import mask_view, strokes_of

MOST_MARKS = 64  # points of one selection


class Marks(BaseModel):
    """Where a thing is marked on the page: a box around it, points on it and beside it; nothing of all: it is painted.
    `of`: the number of the photo that it is in."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    of: int
    box: Box | None = None
    points: tuple[Point, ...] = Field((), max_length=MOST_MARKS)
    excluded: tuple[Point, ...] = Field((), alias="not", max_length=MOST_MARKS)

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Marks":
        """Raises `EditError` if the page sent something else."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise EditError(
                f"the marks cannot be used: {first['msg']}; click the thing, or draw a box around it"
            ) from error

    @property
    def region(self) -> Region | None:
        """The same in a recipe; None where nothing is marked."""
        if self.box is None and not self.points:
            return None
        return Region.model_validate({"box": self.box, "point": self.points or None, "not": self.excluded})


@dataclass(eq=False)
class Selection:
    """One thing in the photo with the number `of`: the pixels (H, W) that were `found` for it, by the `region` that a
    recipe would say or by `words`, and what the brush added and took away. `version` counts its changes."""

    number: int
    of: int
    found: np.ndarray
    region: Region | None = None
    words: str | None = None
    version: int = 0
    brushed: np.ndarray | None = None
    _said: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def marked(cls, number: int, photo: Photo, marks: Marks) -> "Selection":
        """What is marked in a photo; nothing yet, where it is to be painted.

        Raises:
            EditError: no one thing is found there.
        """
        region = marks.region
        if region is None:
            return cls(number, marks.of, np.zeros(photo.rgb.shape[:2], bool))
        mask = region_mask(region, photo, UNNAMED, Path(), offline=True)
        return cls(number, marks.of, mask[0, 0].numpy() > 0.5, region)

    @property
    def inside(self) -> np.ndarray:
        """The pixels (H, W) of the thing."""
        return self.found if self.brushed is None else self.brushed

    def paint(self, strokes: bytes) -> None:
        """Put right what was found by all strokes of the brush so far, a picture as large as the view (`strokes_of`).

        Raises:
            EditError: the picture is none.
        """
        size = self.found.shape[1], self.found.shape[0]
        try:
            more, less = strokes_of(strokes, view_size(size), size)
        except (ValueError, OSError, SyntaxError) as error:
            raise EditError("the strokes of the brush did not arrive; paint them again") from error
        self.brushed = (self.found | more) & ~less if more.any() or less.any() else None
        self.version += 1
        self._said = {}

    def in_recipe(self, folder: Path, stem: str) -> Region | None:
        """What a recipe in `folder` says of where the thing is: as it was marked, or the file of a mask, written there
        with a name that begins with `stem`; None where its words say it.

        Raises:
            EditError: nothing is selected.
        """
        if self.brushed is None:
            if self.region is None and self.words is None:
                raise EditError("nothing is painted yet; paint over the thing with the brush")
            return self.region
        name = f"{stem}-mask-{self.number}-{self.version}.png"
        if not (folder / name).exists():
            save_mask(self.brushed, folder / name)
        return Region(mask=name)

    def as_dict(self) -> dict[str, Any]:
        """For the page: where the thing is, and how much of the photo it is."""
        if not self._said:
            inside = self.inside
            self._said = {"number": self.number, "of": self.of, "words": self.words, "size": float(inside.mean())}
            if inside.any():
                pose = object_pose(torch.from_numpy(inside)[None, None].float())
                self._said |= {"centre": pose.centre, "box": pose.box, "foot": pose.foot}
        return self._said | {"version": self.version, "brushed": self.brushed is not None}

    def view(self) -> bytes:
        """Its mask as the page draws it."""
        return mask_view(self.inside)
