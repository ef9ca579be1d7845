"""All pages that are open at one running `realedit ui`: one model, one queue, and what each page works on."""

import asyncio
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from realedit.jobs.model_run import ModelRun
from realedit.page.job_queue import Job, JobQueue
from realedit.page.offered import Offered
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.page_session import PageSession

Found = TypeVar("Found")
SWITCH_SECONDS = 0.0005  # of one thread, so that clicks are answered while the model loads
MOST_PAGES = 8  # beyond that the page is given up that nobody has looked at longest
GRACE_SECONDS = 5.0  # after which a page that is gone, and was not just loaded again, frees its job


class Pages:
    """The pages, by their names. `first` is the photo that each new page starts with, if one was named."""

    def __init__(self, run: ModelRun, folder: Path, first: Path | None, offered: Offered = Offered()) -> None:
        self.run, self.folder, self.first, self.offered = run, folder, first, offered
        sys.setswitchinterval(SWITCH_SECONDS)
        self.sessions: dict[str, PageSession] = {}
        self.queue = JobQueue()
        self._quick = ThreadPoolExecutor(1, thread_name_prefix="photos")
        self._imported = threading.Event()
        self.leaving = False
        self.loop = asyncio.get_running_loop()
        self.loading = Job(0, self, "load", self._load, self._tell_all)
        self.queue.add(self.loading)

    def _load(self, job: Job) -> None:
        """Import what is slow to import, in one thread so that no other sees it half done; then load the model."""
        job.show("starting")
        try:
            import realedit.page.picture_jobs
            import realedit.page.selections
        finally:
            self._imported.set()
        job.show(f"loading {self.run.which.model}")
        _ = self.run.model.parts
        import realedit.page.objects_by_words  # noqa: F401

    def _tell_all(self) -> None:
        for session in list(self.sessions.values()):
            session.tell()

    async def quick(self, work: Callable[..., Found], *values: Any) -> Found:
        """Do what takes a second at most in the one thread for that, beside the edit that may run."""

        def when_imported() -> Found:
            self._imported.wait()
            return work(*values)

        return await self.loop.run_in_executor(self._quick, when_imported)

    def new(self) -> PageSession:
        """A session for a page that is opened."""
        if len(self.sessions) >= MOST_PAGES:
            idle = [name for name, session in self.sessions.items() if not session.listeners]
            name = idle[0] if idle else next(iter(self.sessions))
            self.sessions.pop(name).end()
        name = secrets.token_urlsafe(9)
        session = PageSession(self.folder / name, self.run, self.queue, self.loop, self.offered)
        self.sessions[name] = session
        if self.first is not None:
            first = self.first
            session.open(lambda number, folder: OpenedPhoto.copy(number, folder, first))
        return session

    def left(self, session: PageSession) -> None:
        """A page is closed, or loaded again: if it does not come back soon, what it waits for is stopped."""

        def gone() -> None:
            if not session.listeners:
                session.stop()

        if not session.listeners:
            self.loop.call_later(GRACE_SECONDS, gone)

    def state_of(self, session: PageSession) -> dict[str, Any]:
        """All that a page shows."""
        loading = self.loading
        model = {"name": self.run.which.model, "state": loading.state, "stage": loading.stage, "error": loading.error}
        return session.as_dict() | {"model": model, "prompt": self.run.prompt}

    def leave(self) -> None:
        """The server ends: no page is told of changes any more."""
        self.leaving = True
        self._tell_all()

    def end(self) -> None:
        """Stop all jobs."""
        self._imported.set()
        self.queue.end()
        self._quick.shutdown(wait=False, cancel_futures=True)
