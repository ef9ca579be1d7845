"""What is selected on the page: found where it is marked, and put right with a brush."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inversion.errors import EditError
from realedit.files.recipe import Region
from realedit.files.writing import save_mask
from realedit.geometry.object_pose import object_pose
from realedit.geometry.transform import Box, Point
from realedit.jobs.regions import region_mask
from realedit.objects.source_objects import UNNAMED
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.sizes import view_size
from realedit.page.views import mask_view, strokes_of

MOST_MARKS = 64  # points of one selection


class Marks(BaseModel):
    """Where a thing is marked on the page: a box around it, points on it and beside it, or the number of a selection
    that is a rough scribble `around` it; nothing of all: it is painted. `segmenter`: the SAM that finds it there; `of`:
    the number of the photo that it is in."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    of: int
    box: Box | None = None
    points: tuple[Point, ...] = Field((), max_length=MOST_MARKS)
    excluded: tuple[Point, ...] = Field((), alias="not", max_length=MOST_MARKS)
    around: int | None = None
    segmenter: str | None = None

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

    def region(self, scribble: str | None) -> Region | None:
        """The same in a recipe, which names the file of the `scribble`; None where nothing is marked."""
        if self.box is None and not self.points and scribble is None:
            return None
        points = self.points[0] if len(self.points) == 1 else self.points or None
        marked = {"box": self.box, "point": points, "not": self.excluded, "around": scribble}
        return Region.model_validate(marked | {"segmenter": self.segmenter if scribble is None else None})


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
    def painted(cls, number: int, photo: OpenedPhoto) -> "Selection":
        """Nothing yet: it is to be painted."""
        return cls(number, photo.number, np.zeros(photo.photo.rgb.shape[:2], bool))

    @classmethod
    def marked(cls, number: int, photo: OpenedPhoto, region: Region, folder: Path, *, offline: bool) -> "Selection":
        """What is marked in a photo; files of the region lie in a folder.

        Raises:
            EditError: no one thing is found there.
            ModelError: the segmenter cannot be had.
        """
        mask = region_mask(region, photo.photo, UNNAMED, folder, offline=offline)
        return cls(number, photo.number, mask[0, 0].numpy() > 0.5, region)

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
        """What a recipe in `folder` says of where the thing is: as it was marked, or a mask that is written there, with
        a name that begins with `stem`; None where its words say it.

        Raises:
            EditError: nothing is selected.
        """
        if self.brushed is None and (self.region is not None or self.words is not None):
            return self.region
        return Region(mask=self.mask_file(folder, stem))

    def mask_file(self, folder: Path, stem: str) -> str:
        """The name of its mask in a folder, written there if it is not.

        Raises:
            EditError: nothing is selected.
        """
        if not self.inside.any():
            raise EditError("nothing is painted yet; paint over the thing with the brush")
        name = f"{stem}-mask-{self.number}-{self.version}.png"
        if not (folder / name).exists():
            save_mask(self.inside, folder / name)
        return name

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


def mask_of_all(selections: Sequence[Selection], folder: Path, stem: str) -> str:
    """The name of a mask of several things in a folder, written there if it is not.

    Raises:
        EditError: one of them is nothing.
    """
    if len(selections) == 1:
        return selections[0].mask_file(folder, stem)
    name = f"{stem}-front-{'-'.join(f'{each.number}.{each.version}' for each in selections)}.png"
    if not (folder / name).exists():
        save_mask(np.logical_or.reduce([each.inside for each in selections]), folder / name)
    return name
