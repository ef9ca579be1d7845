"""The files that a result is taken away as: the photo, its recipe, how it was made, or all of them."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

from inversion.errors import EditError
from realedit.files.encoding import Saving
from realedit.files.kinds import FORMATS
from realedit.files.provenance import Signer
from realedit.page.offered import Offered

if TYPE_CHECKING:
    from realedit.page.made_picture import MadePicture


class File(StrEnum):
    """What of a result is taken away."""

    PHOTO = "photo"
    RECIPE = "recipe"
    SIDECAR = "sidecar"
    ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """Which file, in which format (its suffix; None: the photo's own), with the place where the photo was taken, marked
    as made with a model, and signed, or not."""

    file: File
    suffix: str | None = None
    place: bool = True
    mark: bool = True
    sign: bool = False

    @classmethod
    def read(cls, name: str, options: Mapping[str, str]) -> "Wanted":
        """Raises `EditError` if there is no such file or format."""
        suffix = options.get("format") or None
        if name not in [*File] or (suffix is not None and f".{suffix}" not in FORMATS):
            raise EditError(f"there is no {name} to download as {suffix or 'a file'}")
        place, mark = (options.get(name) != "no" for name in ("place", "mark"))
        return cls(File(name), f".{suffix}" if suffix else None, place, mark, options.get("sign") == "yes")

    def signer(self, offered: Offered) -> Signer | None:
        """With what it is signed, if it is.

        Raises:
            EditError: there is no key.
            OutputError: the key or its certificates cannot be read.
        """
        if not self.sign:
            return None
        if offered.certificate is None or offered.key is None:
            raise EditError("nothing to sign with; open the page with --sign-cert and --sign-key")
        return Signer.read(offered.certificate, offered.key)


def file_of(made: "MadePicture", wanted: Wanted, offered: Offered) -> tuple[bytes, str]:
    """The bytes and the name of a file of a result.

    Raises:
        EditError: there is no such file of it.
        OutputError: the photo cannot be written so.
    """
    recipe = made.recipe()
    if wanted.file is File.RECIPE:
        if recipe is None or made.recipe_name is None:
            raise EditError("a whole picture has no recipe; its command and its sidecar say how it was made")
        return recipe.encode(), made.recipe_name
    if wanted.file is File.SIDECAR:
        return made.sidecar(f"{made.stem}{wanted.suffix or made.suffix}")
    saving = Saving(made.mark if wanted.mark else None, not wanted.place)
    photo, name = made.file(saving, wanted.suffix, wanted.signer(offered))
    if wanted.file is File.PHOTO:
        return photo, name
    sidecar, beside = made.sidecar(name)
    files = made.beside() | {name: photo, beside: sidecar}
    if recipe is not None and made.recipe_name is not None:
        files[made.recipe_name] = recipe.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, data in files.items():
            archive.writestr(each, data)
    return file.getvalue(), f"{made.stem}.zip"


def attached(name: str) -> dict[str, str]:
    """The header under which a browser keeps a file."""
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
