"""The files that a result is taken away as: the photo, its recipe, its masks, or all of them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from inversion.errors import EditError
from realedit.files.encoding import Saving
from realedit.files.kinds import FORMATS
from realedit.files.xmp import DigitalSourceType

if TYPE_CHECKING:
    from realedit.page.edited_photo import EditedPhoto

KINDS = ("photo", "recipe", "all")


@dataclass(frozen=True)
class Wanted:
    """Which file, in which format (its suffix; None: the photo's own), with the place where the photo was taken, and
    marked as edited with a model, or not."""

    kind: str
    suffix: str | None = None
    place: bool = True
    mark: bool = True

    @classmethod
    def read(cls, kind: str, options: Mapping[str, str]) -> "Wanted":
        """Raises `EditError` if there is no such file or format."""
        suffix = options.get("format") or None
        if kind not in KINDS or (suffix is not None and f".{suffix}" not in FORMATS):
            raise EditError(f"there is no {kind} to download as {suffix or 'a file'}")
        place, mark = (options.get(name) != "no" for name in ("place", "mark"))
        return cls(kind, f".{suffix}" if suffix else None, place, mark)

    @property
    def saving(self) -> Saving:
        return Saving(DigitalSourceType.EDITED if self.mark else None, not self.place)


def file_of(made: "EditedPhoto", folder: Path, wanted: Wanted) -> tuple[bytes, str]:
    """The bytes and the name of a file of a result whose photo lies in a folder.

    Raises:
        OutputError: the photo cannot be written so.
    """
    if wanted.kind == "recipe":
        return made.recipe_text().encode(), made.recipe_name
    path = made.save(folder, wanted.saving, wanted.suffix)
    photo = path.read_bytes()
    path.unlink()
    if wanted.kind == "photo":
        return photo, path.name
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(path.name, photo)
        archive.writestr(made.recipe_name, made.recipe_text())
        for name in made.masks():
            archive.write(folder / name, name)
    return file.getvalue(), f"{made.stem}.zip"


def attached(name: str) -> dict[str, str]:
    """The header under which a browser keeps a file."""
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
