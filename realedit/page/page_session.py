"""What one open page works on, kept here so that nothing is lost when it is loaded again. What needs torch is imported
when it is used: the page is there before."""

import asyncio
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inversion.errors import EditError, PhotoError, RealEditError
from realedit.jobs.model_run import ModelRun
from realedit.page.job_queue import Job, JobQueue
from realedit.page.opened_photo import OpenedPhoto

if TYPE_CHECKING:
    from realedit.page.edited_photo import EditedPhoto
    from realedit.page.selections import Selection

MOST_SELECTIONS, MOST_OTHERS, MOST_RESULTS = 64, 8, 16  # of one photo; beyond that the oldest result is forgotten


class PageSession:
    """The photo of one page, what is selected in it, and what was made of it. All methods but `tell` and those that
    jobs call run in one thread beside the server's."""

    def __init__(
        self, name: str, folder: Path, run: ModelRun, queue: JobQueue, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.name, self.folder, self.run, self.queue = name, folder, run, queue
        self._loop = loop
        self._numbers = itertools.count(1)
        self.listeners: set[asyncio.Event] = set()
        self.clear()

    def clear(self) -> None:
        """Forget the photo and all that was made of it."""
        self.queue.stop(lambda job: job.owner is self)
        self.photo: OpenedPhoto | None = None
        self.others: dict[int, OpenedPhoto] = {}
        self.selections: dict[int, Selection] = {}
        self.results: dict[int, EditedPhoto] = {}
        self.words: list[str] = []
        self.job: Job | None = None
        self.looking: Job | None = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def tell(self) -> None:
        """Tell the page that something changed; from any thread."""
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.set()

    # Photos

    def open(self, keep: Callable[[int, Path], OpenedPhoto]) -> None:
        """Take a new photo in place of the old one, of which nothing remains.

        Raises:
            PhotoError: it is none; the old one stays.
        """
        number = next(self._numbers)
        folder = self.folder.with_name(f"{self.folder.name}-new")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            found = keep(number, folder)
        except RealEditError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.clear()
        shutil.rmtree(self.folder)
        folder.rename(self.folder)
        found.path = self.folder / found.path.name
        self.photo = found
        self.tell()

    def add_other(self, name: str, data: bytes) -> OpenedPhoto:
        """Take a photo to take something from, beside the one that is edited.

        Raises:
            PhotoError: it is none, or there are too many.
        """
        if len(self.others) >= MOST_OTHERS:
            raise PhotoError(f"there are {MOST_OTHERS} other photos already; take one of those")
        number = next(self._numbers)
        found = OpenedPhoto.keep(number, self.folder, self._free_name(name), data)
        self.others[number] = found
        self.decode(found)
        return found

    def _free_name(self, name: str) -> str:
        path = Path(name)
        names = [name, *(f"{path.stem}-{k}{path.suffix}" for k in range(2, MOST_OTHERS + 3))]
        return next(each for each in names if not (self.folder / each).exists())

    def decode(self, photo: OpenedPhoto) -> None:
        """Decode a photo; what is wrong with it is told to the page."""
        try:
            photo.decode()
        except RealEditError as error:
            photo.error = str(error)
        except MemoryError:
            photo.error = f"{photo.path.name} does not fit into this machine's memory; give a smaller photo"
        self.tell()

    def photo_of(self, number: int) -> OpenedPhoto:
        """Raises `PhotoError` if there is no such photo any more."""
        found = self.photo if self.photo is not None and self.photo.number == number else self.others.get(number)
        if found is None:
            raise PhotoError("this photo is not here any more; open it again")
        return found

    # Selections

    def select(self, values: dict[str, Any]) -> "Selection":
        """Select what the page marks.

        Raises:
            RealEditError: no one thing is found there.
        """
        from realedit.page.selections import Marks, Selection

        marks = Marks.read(values)
        return self._kept(Selection.marked(next(self._numbers), self.photo_of(marks.of).photo, marks))

    def _kept(self, selection: "Selection") -> "Selection":
        if len(self.selections) >= MOST_SELECTIONS:
            self.selections.pop(min(self.selections))
        selection.as_dict()  # measured here, not in the server's thread
        self.selections[selection.number] = selection
        self.tell()
        return selection

    def paint(self, number: int, strokes: bytes) -> "Selection":
        """Put a selection right by all strokes of the brush so far.

        Raises:
            EditError: there is none, or no strokes came.
        """
        found = self.selection(number)
        found.paint(strokes)
        return self._kept(found)

    def selection(self, number: object) -> "Selection":
        """Raises `EditError` if there is none of this number any more."""
        found = self.selections.get(number) if isinstance(number, int) else None
        if found is None:
            raise EditError("this is not selected any more; click it again")
        return found

    # Jobs

    def _submit(self, kind: str, work: Callable[[Job], None]) -> Job:
        job = Job(next(self._numbers), self, kind, work, self.tell)
        self.queue.add(job)
        return job

    def look(self, prompt: str | None) -> None:
        """Find out what the model sees of what the photo is said to show."""
        from realedit.page.objects_by_words import seen_words

        photo = self.photo
        if photo is None:
            return
        self.queue.stop(lambda job: job.owner is self and job.kind == "look")

        def work(job: Job) -> None:
            words = seen_words(job, self.run, prompt, photo)
            if self.photo is photo:
                self.words = words

        self.words = []
        self.looking = self._submit("look", work)

    def find(self, words: str, prompt: str | None) -> None:
        """Select what words name, as the model sees it."""
        from realedit.page.objects_by_words import named_selection

        photo = self._required()
        self.stop()

        def work(job: Job) -> None:
            found = named_selection(job, self.run, prompt, photo, words)
            if self.photo is photo:
                found.number = next(self._numbers)
                self._kept(found)

        self.job = self._submit("find", work)

    def make(self, values: dict[str, Any]) -> None:
        """Make the edits that the page asks for.

        Raises:
            EditError: they are none.
        """
        from realedit.page.asked_recipe import recipe_of
        from realedit.page.edited_photo import make

        photo = self._required()
        others = {other.path.name: other.path for other in self.others.values()}
        recipe = recipe_of(values, self._region, others)
        self.stop()

        def work(job: Job) -> None:
            run = self.run.asked(recipe.prompt or self.run.prompt, recipe.method, recipe.steps, recipe.seed)
            found = make(job.number, job, run, photo, recipe)
            if self.photo is photo:
                while len(self.results) >= MOST_RESULTS:
                    self.results.pop(min(self.results))
                self.results[job.number] = found

        self.job = self._submit("make", work)

    def _region(self, number: object) -> object:
        selection = self.selection(number)
        photo = self.photo_of(selection.of)
        return selection.in_recipe(self.folder, photo.path.stem)

    def stop(self) -> None:
        """Stop what the page waits for, and what is looked for meanwhile."""
        self.queue.stop(lambda job: job.owner is self)

    def _required(self) -> OpenedPhoto:
        if self.photo is None:
            raise EditError("there is no photo yet; choose one")
        if self.photo.error is not None:
            raise PhotoError(self.photo.error)
        return self.photo

    def result(self, number: int) -> "EditedPhoto":
        """Raises `EditError` if there is none of this number any more."""
        if number not in self.results:
            raise EditError("this result is not kept any more; make it again")
        return self.results[number]

    # What the page sees

    def as_dict(self) -> dict[str, Any]:
        """All of it that the page shows."""
        return {
            "photo": self.photo.as_dict() if self.photo else None,
            "others": [each.as_dict() for each in list(self.others.values())],
            "selections": [each.as_dict() for each in list(self.selections.values())],
            "words": self.words,
            "looking": self._job(self.looking),
            "job": self._job(self.job),
            "results": [each.said for each in list(self.results.values())],
        }

    def _job(self, job: Job | None) -> dict[str, Any] | None:
        if job is None:
            return None
        said = {name: getattr(job, name) for name in ("number", "kind", "state", "stage", "step", "error", "previews")}
        return said | {"ahead": self.queue.ahead_of(job)}
