"""Edits as a file: what a person writes in TOML, what the command line makes of its options, and what a
result's sidecar keeps. No torch."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from inversion.errors import EditError
from realedit.edits import (
    Duplicate,
    Edit,
    Insert,
    Move,
    ObjectSource,
    Remove,
    Resize,
    Restyle,
    Swap,
    Transfer,
    check_together,
)
from realedit.settings import DEFAULTS, METHOD_NAMES, MOST_PITCH

Pair = tuple[float, float]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class MoveItem(_Entry):
    """Relocate an object."""

    kind: Literal["move"] = "move"
    object: str
    to: Pair | None = Field(None, description="Where its centre goes, fractions of the photo")
    by: Pair | None = Field(None, description="How far it is shifted, fractions of the photo")
    scale: float = 1.0

    def edit(self) -> Edit:
        return Move(self.object, self.to, self.by, self.scale)


class DuplicateItem(_Entry):
    """Draw an object a second time."""

    kind: Literal["duplicate"] = "duplicate"
    object: str
    to: Pair | None = None
    by: Pair | None = None
    scale: float = 1.0

    def edit(self) -> Edit:
        return Duplicate(self.object, self.to, self.by, self.scale)


class ResizeItem(_Entry):
    """Enlarge or shrink an object where it stands."""

    kind: Literal["resize"] = "resize"
    object: str
    scale: float

    def edit(self) -> Edit:
        return Resize(self.object, self.scale)


class RemoveItem(_Entry):
    """Take an object away, with its shadow and reflection."""

    kind: Literal["remove"] = "remove"
    object: str

    def edit(self) -> Edit:
        return Remove(self.object)


class SwapItem(_Entry):
    """Let two objects change places."""

    kind: Literal["swap"] = "swap"
    object: str
    other: str

    def edit(self) -> Edit:
        return Swap(self.object, self.other)


class RestyleItem(_Entry):
    """Give an object a new look from words."""

    kind: Literal["restyle"] = "restyle"
    object: str
    words: str = Field(alias="as", description="The object in its new look, such as 'striped blue can'")

    def edit(self) -> Edit:
        return Restyle(self.object, self.words)


class TransferItem(_Entry):
    """Give an object the look of an object in another photo."""

    kind: Literal["transfer"] = "transfer"
    object: str
    photo: str = Field(alias="from", description="The other photo, its path from the recipe's folder")
    source: str | None = Field(None, alias="from_object", description="The object there")

    def edit(self) -> Edit:
        return Transfer(self.object, ObjectSource(self.photo, self.source))


class InsertItem(_Entry):
    """Set an object of another photo into this one."""

    kind: Literal["insert"] = "insert"
    photo: str = Field(alias="from", description="The other photo, its path from the recipe's folder")
    source: str | None = Field(None, alias="from_object", description="The object there")
    to: Pair
    scale: float = 1.0

    def edit(self) -> Edit:
        return Insert(ObjectSource(self.photo, self.source), self.to, self.scale)


EditEntry = Annotated[
    MoveItem | DuplicateItem | ResizeItem | RemoveItem | SwapItem | RestyleItem | TransferItem | InsertItem,
    Field(discriminator="kind"),
]


class Region(_Entry):
    """Where an object is, instead of where its words attend: a mask, a box, or a point."""

    mask: str | None = Field(None, description="A picture that is white where the object is")
    box: tuple[float, float, float, float] | None = Field(None, description="Left, top, right, bottom")
    point: Pair | None = Field(None, description="A point on the object")
    segmenter: str | None = Field(None, description="The SAM that is asked what lies at the point: folder or hub id")


class SourcePhotoEntry(_Entry):
    """What is to be known of another photo."""

    prompt: str | None = None
    where: Region | None = None


class Recipe(_Entry):
    """Edits of one photo, made in one run of the sampler."""

    edit: tuple[EditEntry, ...] = Field(min_length=1)
    prompt: str | None = Field(None, description="What the photo shows")
    where: dict[str, Region] = Field(default_factory=dict, description="Where objects are, by their phrase")
    photos: dict[str, SourcePhotoEntry] = Field(default_factory=dict, description="Other photos, by their path")
    method: str = "null-text"
    steps: int = Field(DEFAULTS.steps, ge=2, le=1000)
    seed: int = DEFAULTS.seed
    pitch: float | None = Field(None, ge=-MOST_PITCH, le=MOST_PITCH, description="Degrees that the camera looked down")

    @field_validator("method")
    @classmethod
    def _known_method(cls, method: str) -> str:
        if method not in METHOD_NAMES:
            raise ValueError(f'"{method}" is none of {", ".join(METHOD_NAMES)}')
        return method

    def edits(self) -> tuple[Edit, ...]:
        """The edits as values.

        Raises:
            EditError: one is impossible, or they contradict each other.
        """
        edits = tuple(item.edit() for item in self.edit)
        check_together(edits)
        return edits

    def photos_named(self) -> tuple[str, ...]:
        """The paths of all other photos, each once."""
        return tuple(dict.fromkeys(i.photo for i in self.edit if isinstance(i, TransferItem | InsertItem)))


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        EditError: it cannot be read, or is wrong somewhere; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise EditError(f"{path} cannot be read as a recipe: {reason}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EditError(f"{path} is not TOML: {error}") from error
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        line = line_of(text, first["loc"])
        where = ".".join(str(part) for part in first["loc"] if part != "edit" and not isinstance(part, int))
        raise EditError(f"{path}, line {line}: {where + ': ' if where else ''}{first['msg']}") from error
    try:
        recipe.edits()
    except EditError as error:
        raise EditError(f"{path}: {error}") from error
    return recipe


def line_of(text: str, place: Sequence[Any]) -> int:
    """The line (from 1) of a recipe at which a value stands, or else the edit or table that lacks it."""
    lines, at, end = text.splitlines(), 0, None
    if len(place) > 1 and place[0] == "edit" and isinstance(place[1], int):
        heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*edit\s*\]\]", line)]
        if place[1] < len(heads):
            at = heads[place[1]]
            end = next((i for i in range(at + 1, len(lines)) if re.match(r"\s*\[", lines[i])), None)
    for part in place:
        key = re.compile(rf'\s*\[?[\w."]*?"?{re.escape(str(part))}"?\s*[=\].]')
        at = next((i for i in range(at, len(lines))[: None if end is None else end - at] if key.match(lines[i])), at)
    return at + 1


def schema() -> dict[str, Any]:
    """The JSON schema of a recipe."""
    return Recipe.model_json_schema(by_alias=True)
