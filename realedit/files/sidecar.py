"""What is written beside a result: how it was made, so that it can be made again. No torch."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from inversion.errors import EditError
from inversion.weights import BUNDLED
from realedit.files.access import LARGEST_TEXT_FILE, decoded, is_there, native, read_file, shown_name
from realedit.files.captions import Prompt
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import renamed
from realedit.generations import Generation
from realedit.settings import ModelChoice, Settings

if TYPE_CHECKING:
    import numpy as np

SIDECAR_SUFFIX = ".realedit.json"
LIBRARIES = ("realedit", "torch", "diffusers", "transformers", "pillow")


class Sidecar(BaseModel):
    """`recipe`: the edits, or the whole picture, that was asked for. `photo` (none for a picture from words)
    and `folder` (what the recipe's paths start from) are relative to the sidecar's own folder, and so is the `model` if
    it starts with a dot, a folder or file and no hub id; hashes are SHA-256, of the photo's bytes and of the result's
    pixels."""

    model_config = ConfigDict(frozen=True)

    photo: str | None = None
    photo_hash: str | None = None
    folder: str
    recipe: Recipe | Generation
    prompt: str
    prompt_source: str | None = None
    model: str
    revision: str | None = None
    variant: str | None = None
    model_fingerprint: str
    device: str
    dtype: str
    settings: dict[str, Any]
    versions: dict[str, str]
    pixels_hash: str
    report: dict[str, Any] | None = None


@dataclass(frozen=True)
class SidecarOrigin:
    """What a result was made by, from the `photo` if there was one, and where things lay then."""

    photo: Path | None
    folder: Path
    result: Path
    recipe: Recipe | Generation
    prompt: Prompt

    @property
    def path(self) -> Path:
        """The sidecar's path."""
        return sidecar_path(self.result)

    def relative(self, path: Path) -> str:
        """A path as seen from the sidecar; the name alone where there is no way from there."""
        try:
            way = os.path.relpath(os.path.realpath(native(path)), self.result.resolve().parent)
        except (ValueError, OSError):  # another drive
            return shown_name(path.name)
        return Path(shown_name(way)).as_posix()

    def relative_model(self, name: str) -> str:
        """The name of a model, or its path from there, which starts with a dot, if it is one on this machine; so no
        sidecar tells of a person's folders more than the way between two of them."""
        if name == BUNDLED or not is_there(Path(name)):
            return name
        way = self.relative(Path(name))
        return way if way.startswith("../") else f"./{way}"

    def relative_recipe(self) -> Recipe | Generation:
        """The recipe, whose files and models are named as seen from there."""
        return renamed(self.recipe, lambda name: self.relative(self.folder / name), self.relative_model)


def sidecar_path(result: Path) -> Path:
    return result.with_name(result.name + SIDECAR_SUFFIX)


def made_from_photo(result: Path) -> bool:
    """Whether the sidecar of a result says that it was made from a photo; one that cannot be read is taken to."""
    try:
        return read_sidecar(result).photo is not None
    except EditError:
        return True


def file_hash(path: Path) -> str:
    return hashlib.sha256(read_file(path)).hexdigest()


def versions() -> dict[str, str]:
    """Of everything that decides about pixels."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def read_sidecar(result: Path) -> Sidecar:
    """The sidecar of a result; its own path is taken too.

    Raises:
        EditError: there is none, or it is damaged.
    """
    path = result if result.name.endswith(SIDECAR_SUFFIX) else sidecar_path(result)
    if not is_there(path):
        raise EditError(f"{result} has no {path.name} beside it; only results with one can be made again")
    try:
        return Sidecar.model_validate_json(decoded(read_file(path, LARGEST_TEXT_FILE)))
    except (OSError, UnicodeDecodeError, ValidationError, EditError) as error:
        why = f" ({error.strerror})" if isinstance(error, OSError) else ""
        raise EditError(f"{path} is not a whole sidecar{why}; make the edit again") from error


def pixels_hash(rgb: "np.ndarray") -> str:
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def write_sidecar(
    made: SidecarOrigin,
    which: ModelChoice,
    fingerprint: str,
    settings: Settings,
    pixels: str,
    report: dict[str, Any] | None = None,
) -> None:
    """Write beside a result, of which `pixels` is the hash, how it was made."""
    from realedit.files.writing import write_bytes

    write_bytes(sidecar_file(made, which, fingerprint, settings, pixels, report), made.path)


def sidecar_file(
    made: SidecarOrigin,
    which: ModelChoice,
    fingerprint: str,
    settings: Settings,
    pixels: str,
    report: dict[str, Any] | None = None,
) -> bytes:
    """What `write_sidecar` writes."""
    sidecar = Sidecar(
        photo=made.relative(made.photo) if made.photo else None,
        photo_hash=file_hash(made.photo) if made.photo else None,
        folder=".",
        recipe=made.relative_recipe(),
        prompt=made.prompt.text,
        prompt_source=made.prompt.source,
        model=made.relative_model(which.model),
        revision=which.revision,
        variant=which.variant,
        model_fingerprint=fingerprint,
        device=which.device,
        dtype=which.dtype,
        settings={name: value for name, value in asdict(settings).items() if name != "method"},  # the recipe says it
        versions=versions(),
        pixels_hash=pixels,
        report=report,
    )
    values = sidecar.model_dump(by_alias=True, exclude_none=True, mode="json")
    return json.dumps(values, indent=2).encode()
