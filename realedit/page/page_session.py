"""What one open page works on, kept here so that nothing is lost when it is loaded again. What needs torch is imported
when it is used: the page is there before."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inversion.errors import EditError, RealEditError
from realedit.jobs.model_run import ModelRun
from realedit.page.given_photos import GivenPhotos
from realedit.page.job_queue import Job, JobQueue
from realedit.page.offered import Offered
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.selected_things import SelectedThings

if TYPE_CHECKING:
    from realedit.page.made_picture import MadePicture

MOST_RESULTS = 16  # of one photo; beyond that the oldest is forgotten


class PageSession:
    """The photos of one page, what is selected in them, and what was made of them, in a `folder` of its own; made with
    the model of a `run` by jobs in a `queue`. All methods but `tell` run in one thread beside the server's."""

    def __init__(
        self, folder: Path, run: ModelRun, queue: JobQueue, loop: asyncio.AbstractEventLoop, offered: Offered
    ) -> None:
        self.folder, self.run, self.queue, self.offered = folder, run, queue, offered
        self._loop = loop
        self._numbers = itertools.count(1)
        self.listeners: set[asyncio.Event] = set()
        self.photos = GivenPhotos(folder, self._numbers)
        self._forget()

    @property
    def name(self) -> str:
        """In the addresses of what is its own."""
        return self.folder.name

    def _forget(self) -> None:
        """All that was made of the photo."""
        self.stop()
        self.selected = SelectedThings(self.photos, self._numbers, self.offered, offline=self.run.which.offline)
        self.results: dict[int, MadePicture] = {}
        self.words: list[str] = []
        self.job: Job | None = None
        self.looking: Job | None = None

    def end(self) -> None:
        """Forget the photo and all that was made of it."""
        self._forget()
        self.photos.clear()

    def tell(self) -> None:
        """Tell the page that something changed; from any thread."""
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.set()

    def open(self, keep: Callable[[int, Path], OpenedPhoto]) -> None:
        """Take a new photo in place of the old one, of which nothing remains.

        Raises:
            PhotoError: it is none; the old one stays.
        """
        self.photos.open(keep, self._forget)
        self.tell()

    def open_result(self, number: int) -> None:
        """Take a result in place of the photo, to go on with it.

        Raises:
            RealEditError: there is none, or it cannot be written.
        """
        from realedit.files.encoding import Saving

        made = self.result(number)
        data, name = made.file(Saving(made.mark))
        self.open(lambda number, folder: OpenedPhoto.keep(number, folder, name, data, made.commands()))

    def decode(self, photo: OpenedPhoto) -> None:
        """Decode a photo; what is wrong with it is told to the page."""
        try:
            photo.decode()
        except RealEditError as error:
            photo.error = str(error)
        except MemoryError:
            photo.error = f"{photo.path.name} does not fit into this machine's memory; give a smaller photo"
        self.tell()

    def submit(self, kind: str, work: Callable[[Job], None]) -> Job:
        """A job of this page that waits for its turn."""
        job = Job(next(self._numbers), self, kind, work, self.tell)
        self.queue.add(job)
        return job

    def stop(self) -> None:
        """Stop what the page waits for, and what is looked for meanwhile."""
        self.queue.stop(lambda job: job.owner is self)

    def add_result(self, made: "MadePicture") -> None:
        """Keep what was made."""
        while len(self.results) >= MOST_RESULTS:
            self.results.pop(min(self.results))
        self.results[made.number] = made

    def result(self, number: int) -> "MadePicture":
        """Raises `EditError` if there is none of this number any more."""
        if number not in self.results:
            raise EditError("this result is not kept any more; make it again")
        return self.results[number]

    def as_dict(self) -> dict[str, Any]:
        """All of it that the page shows."""
        photos = self.photos
        return {
            "photo": photos.photo.as_dict() if photos.photo else None,
            "others": [each.as_dict() for each in list(photos.others.values())],
            "selections": [each.as_dict() for each in list(self.selected.all.values())],
            "words": self.words,
            "offered": self.offered.as_dict(),
            "looking": self._job(self.looking),
            "job": self._job(self.job),
            "results": [each.said for each in list(self.results.values())],
        }

    def _job(self, job: Job | None) -> dict[str, Any] | None:
        if job is None:
            return None
        said = {name: getattr(job, name) for name in ("number", "kind", "state", "stage", "step", "error", "previews")}
        return said | {"ahead": self.queue.ahead_of(job)}
