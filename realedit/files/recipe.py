"""Edits as a file: what a person writes in TOML, what the command line makes of its options, and what a
result's sidecar keeps. No torch."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema

from inversion.errors import EditError
from realedit.edits import AnyEdit, Insert, Transfer, check_together
from realedit.engines import Control
from realedit.files.access import LARGEST_TEXT_FILE, decoded, read_file
from realedit.geometry.region import Region, check_marked
from realedit.settings import DEFAULTS, ENERGIES, METHOD_NAMES, MOST_PITCH, MOST_SEED

UNKNOWN_KEY = "Extra inputs are not permitted"  # pydantic's words, which it uses of models but not of dataclasses
PUBLISHED_NAMES = {
    "Region": "Where",
    "SourcePhotoEntry": "Photo",
    **{edit.__name__: f"{edit.__name__}Item" for edit in get_args(get_args(AnyEdit)[0])},
}
"""How the schema calls classes: it keeps the names under which it was published."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SourcePhotoEntry(_Entry):
    """What is to be known of another photo."""

    prompt: str | None = None
    where: Region | None = None


class Recipe(_Entry):
    """Edits of one photo, made in one run of the sampler."""

    edits: tuple[AnyEdit, ...] = Field(alias="edit", min_length=1)
    prompt: str | None = Field(None, description="What the photo shows")
    where: dict[str, Region] = Field(default_factory=dict, description="Where objects are, by their phrase")
    photos: dict[str, SourcePhotoEntry] = Field(default_factory=dict, description="Other photos, by their path")
    mode: Literal["auto", "composite", "regenerate", "pixels"] = Field(
        "auto", description="Of pixels, by the model alone, or of pixels as if the model did not know the photo"
    )
    method: str = DEFAULTS.method
    steps: int = Field(DEFAULTS.steps, ge=2, le=1000)
    seed: int = Field(DEFAULTS.seed, ge=0, le=MOST_SEED)
    pitch: float | None = Field(None, ge=-MOST_PITCH, le=MOST_PITCH, description="Degrees that the camera looked down")
    fill: str = Field("auto", description="What fills old places: auto, photo, model, or a model made for it")
    behind: str | None = Field(None, description="A picture that is white where the photo stays in front")
    shadow: Literal["auto", "none"] = Field("auto", description="none: shadows stay where they are")
    feather: float = Field(DEFAULTS.feather, ge=0, le=0.2, description="Width of seams, of the shorter side")
    controls: tuple[Control, ...] = Field((), description="Maps of the photo that what is regenerated follows")
    energies: str = Field(ENERGIES[0], description="What regenerating is guided by: attention, readout, or its folder")

    @field_validator("method")
    @classmethod
    def _known_method(cls, method: str) -> str:
        if method not in METHOD_NAMES:
            raise ValueError(f'"{method}" is none of {", ".join(METHOD_NAMES)}')
        return method

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        check_together(self.edits)
        if self.controls and self.mode != "regenerate":
            raise EditError("only what the model draws follows a control map; give --mode regenerate with it")
        if self.energies != ENERGIES[0] and self.mode != "regenerate":
            raise EditError(f"{self.energies} guides what the model draws; give --mode regenerate with it")
        if self.mode == "pixels":
            check_marked(self.objects, self.where)
        return self

    @property
    def objects(self) -> tuple[str, ...]:
        """The phrases that the edits name, each once."""
        return tuple(dict.fromkeys(phrase for edit in self.edits for phrase in edit.objects))

    @property
    def other_photos(self) -> tuple[str, ...]:
        """The paths of all other photos, each once."""
        return tuple(dict.fromkeys(edit.photo for edit in self.edits if isinstance(edit, Transfer | Insert)))


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        EditError: it cannot be read, or is wrong somewhere; the message names the line.
    """
    try:
        text = decoded(read_file(path, LARGEST_TEXT_FILE))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise EditError(f"{path} cannot be read as a recipe: {reason}") from error
    try:
        return Recipe.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise EditError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise EditError(f"{path} is no recipe: it is nested too deeply") from error
    except ValidationError as error:
        raise EditError(f"{path}, {_first_mistake(error, text)}") from error
    except EditError as error:
        raise EditError(f"{path}: {error}") from error


def _first_mistake(error: ValidationError, text: str) -> str:
    """The line of a recipe, what stands there, and what is wrong with it."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "edit" and not isinstance(part, int))
    said = UNKNOWN_KEY if first["type"] == "unexpected_keyword_argument" else first["msg"]
    return f"line {line_of(text, first['loc'])}: {where + ': ' if where else ''}{said}"


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


class _PublishedNames(GenerateJsonSchema):
    def normalize_name(self, name: str) -> str:
        return super().normalize_name(PUBLISHED_NAMES.get(name, name))


def schema() -> dict[str, Any]:
    """The JSON schema of a recipe."""
    found = Recipe.model_json_schema(schema_generator=_PublishedNames)
    for name, definition in found["$defs"].items():
        own = definition["properties"]
        first = {"kind": own.pop("kind")} if "kind" in own else {}  # pydantic puts what is a keyword alone last
        definition |= {"title": name, "properties": first | own}
    return found
