"""The photos that one page was given: the one that is edited, and those that something is taken from. They lie in a
folder of their own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from inversion.errors import EditError, PhotoError, RealEditError
from realedit.page.opened_photo import OpenedPhoto

MOST_OTHERS = 8


class GivenPhotos:
    """The `photo` that is edited, if there is one, and the `others` by their numbers, which `numbers` gives."""

    def __init__(self, folder: Path, numbers: Iterator[int]) -> None:
        self.folder, self._numbers = folder, numbers
        self.clear()

    def clear(self) -> None:
        """Forget all of them, with all files beside them."""
        self.photo: OpenedPhoto | None = None
        self.others: dict[int, OpenedPhoto] = {}
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def open(self, keep: Callable[[int, Path], OpenedPhoto], leave: Callable[[], None]) -> None:
        """Take a new photo in place of the old one, which is left (`leave`) once the new one is known to be a photo.

        Raises:
            PhotoError: it is none; the old one stays.
        """
        folder = self.folder.with_name(f"{self.folder.name}-new")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            found = keep(next(self._numbers), folder)
        except RealEditError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        leave()
        self.clear()
        self.folder.rmdir()
        folder.rename(self.folder)
        found.path = self.folder / found.path.name
        self.photo = found

    def add_other(self, name: str, data: bytes) -> OpenedPhoto:
        """Take a photo to take something from.

        Raises:
            PhotoError: it is none, or there are too many.
        """
        if len(self.others) >= MOST_OTHERS:
            raise PhotoError(f"there are {MOST_OTHERS} other photos already; take one of those")
        found = OpenedPhoto.keep(next(self._numbers), self.folder, self._free_name(name), data)
        self.others[found.number] = found
        return found

    def _free_name(self, name: str) -> str:
        path = Path(name)
        names = [name, *(f"{path.stem}-{k}{path.suffix}" for k in range(2, MOST_OTHERS + 3))]
        return next(each for each in names if not (self.folder / each).exists())

    def of(self, number: int) -> OpenedPhoto:
        """Raises `PhotoError` if there is no such photo any more."""
        found = self.photo if self.photo is not None and self.photo.number == number else self.others.get(number)
        if found is None:
            raise PhotoError("this photo is not here any more; open it again")
        return found

    def usable(self) -> OpenedPhoto:
        """The photo that is edited.

        Raises:
            EditError: there is none.
            PhotoError: it is damaged.
        """
        if self.photo is None:
            raise EditError("there is no photo yet; choose one")
        if self.photo.error is not None:
            raise PhotoError(self.photo.error)
        return self.photo
