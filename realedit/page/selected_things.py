"""What is selected in the photos of one page, by number, and what recipes say of that. What needs torch is imported
when it is used: the page is there before."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from inversion.errors import EditError
from realedit.geometry.region import Region
from realedit.page.given_photos import GivenPhotos
from realedit.page.offered import Offered

if TYPE_CHECKING:
    from realedit.page.selections import Selection

MOST_SELECTIONS = 64


class SelectedThings:
    """Selections in `photos`, which get their numbers from `numbers`; `offered` is what may find them. `offline`: no
    model is fetched for that."""

    def __init__(self, photos: GivenPhotos, numbers: Iterator[int], offered: Offered, *, offline: bool) -> None:
        self.photos, self._numbers, self.offered, self._offline = photos, numbers, offered, offline
        self.all: dict[int, Selection] = {}

    def select(self, values: dict[str, Any]) -> "Selection":
        """Select what the page marks.

        Raises:
            RealEditError: no one thing is found there.
        """
        from realedit.page.selections import Marks, Selection

        marks = Marks.read(values)
        photo = self.photos.of(marks.of)
        if marks.segmenter is not None and marks.segmenter not in self.offered.segmenters:
            raise EditError("no such segmenter is offered; name it with --segmenter when the page is opened")
        region = marks.region(None if marks.around is None else self._mask_file(marks.around))
        number = next(self._numbers)
        if region is None:
            return self.keep(Selection.painted(number, photo))
        return self.keep(Selection.marked(number, photo, region, self.photos.folder, offline=self._offline))

    def found(self, selection: "Selection") -> None:
        """Keep a selection that a job found."""
        selection.number = next(self._numbers)
        self.keep(selection)

    def keep(self, selection: "Selection") -> "Selection":
        """Keep a selection that has its number; beyond many the oldest is forgotten."""
        if len(self.all) >= MOST_SELECTIONS:
            self.all.pop(min(self.all))
        selection.as_dict()  # measured here, not in the server's thread
        self.all[selection.number] = selection
        return selection

    def paint(self, number: int, strokes: bytes) -> "Selection":
        """Put a selection right by all strokes of the brush so far.

        Raises:
            EditError: there is none, or no strokes came.
        """
        found = self.of(number)
        found.paint(strokes)
        return self.keep(found)

    def of(self, number: object) -> "Selection":
        """Raises `EditError` if there is none of this number any more."""
        found = self.all.get(number) if isinstance(number, int) else None
        if found is None:
            raise EditError("this is not selected any more; click it again")
        return found

    # What a recipe says

    def other_names(self) -> set[str]:
        """The names of the other photos."""
        return {other.path.name for other in self.photos.others.values()}

    def region(self, number: object) -> Region | None:
        """Where a selection is; None where its words say it."""
        selection = self.of(number)
        return selection.in_recipe(self.photos.folder, self.photos.of(selection.of).path.stem)

    def marked_region(self, number: object) -> Region:
        """The same where no words can say it."""
        return self.region(number) or Region(mask=self._mask_file(number))

    def _mask_file(self, number: object) -> str:
        selection = self.of(number)
        return selection.mask_file(self.photos.folder, self.photos.of(selection.of).path.stem)

    def front(self, numbers: Iterable[object]) -> str:
        """The name of a mask of several selections of the photo, which is written beside it."""
        from realedit.page.selections import mask_of_all

        every, photo = [self.of(number) for number in numbers], self.photos.usable()
        if any(each.of != photo.number for each in every):
            raise EditError("what stays in front is not in this photo; click it there")
        return mask_of_all(every, self.photos.folder, photo.path.stem)
