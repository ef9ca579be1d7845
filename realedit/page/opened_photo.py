"""A photo that the page was given. What needs torch is imported when the photo is decoded."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inversion.errors import PhotoError
from realedit.files.access import read_file
from realedit.files.captions import caption_beside
from realedit.files.photo import Photo
from realedit.files.reading import PhotoFile
from realedit.page.sizes import VIEW_SIDE, view_size

if TYPE_CHECKING:
    import numpy as np

SHOWN_BY_BROWSERS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


@dataclass(eq=False)
class OpenedPhoto:
    """The photo's `file` at `path`, in a folder of its own. Decoded, it has a `view` for the page (JPEG) and the pixels
    of that, `shown` (h, w, 3); or it cannot be decoded, and `error` says why. `made_by`: the commands that made it of a
    photo that the page had before."""

    number: int
    path: Path
    file: PhotoFile
    view: bytes | None = None
    shown: "np.ndarray | None" = field(default=None, repr=False)
    error: str | None = None
    made_by: tuple[str, ...] = ()

    @classmethod
    def keep(cls, number: int, folder: Path, name: str, data: bytes, made_by: tuple[str, ...] = ()) -> "OpenedPhoto":
        """Keep the bytes of a photo in a folder, once its header says that it can be one.

        Raises:
            PhotoError: it is no photo, or too large or too small.
        """
        path = folder / name
        try:
            path.write_bytes(data)
            file = PhotoFile.open(path)
        except PhotoError as error:
            raise PhotoError(str(error).replace(str(path), name)) from error
        except OSError as error:
            raise PhotoError(f"{name} cannot be kept: {error.strerror or error}") from error
        return cls(number, path, replace(file, name=name), made_by=made_by)  # whose messages tell no folder

    @classmethod
    def copy(cls, number: int, folder: Path, path: Path) -> "OpenedPhoto":
        """Keep a copy of a photo of this machine in a folder, with the caption beside it.

        Raises:
            PhotoError: it cannot be read, or is no photo.
        """
        PhotoFile.open(path)  # whose messages tell the path that was typed
        if caption_beside(path) is not None:
            beside = path.with_suffix(".txt")
            (folder / beside.name).write_bytes(read_file(beside))
        return cls.keep(number, folder, path.name, read_file(path))

    @property
    def photo(self) -> Photo:
        return self.file.photo

    def decode(self) -> None:
        """Decode it and make its view.

        Raises:
            PhotoError: it is damaged.
        """
        from realedit.page.views import view_of

        self.shown = self.photo.displayed(VIEW_SIDE)
        self.view = view_of(self.shown)

    @property
    def media_type(self) -> str | None:
        """Of the file, if browsers show it; it lets them show the photo before it is decoded here."""
        return SHOWN_BY_BROWSERS.get(self.file.format or "")

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return {
            "number": self.number,
            "name": self.path.name,
            "size": self.file.size,
            "view": view_size(self.file.size),
            "ready": self.view is not None,
            "browser": self.media_type is not None,
            "notes": list(self.photo.notes) if self.view is not None else [],
            "error": self.error,
            "made": bool(self.made_by),
        }
