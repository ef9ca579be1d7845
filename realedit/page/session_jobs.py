"""The jobs that a page begins: to make edits, to draw a whole picture, to find what words name, to look which words the
photo shows. What needs torch is imported when it is used: the page is there before."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inversion.errors import EditError
from realedit.page.asked_generation import generation_of
from realedit.page.asked_recipe import recipe_of
from realedit.page.job_queue import Job
from realedit.page.page_session import PageSession
from realedit.page.uploads import LARGEST_TEXT

if TYPE_CHECKING:
    from realedit.files.recipe import Recipe
    from realedit.generations import Generation
    from realedit.page.opened_photo import OpenedPhoto

OF_RUN = ("prompt", "method", "steps", "seed")  # what the command line said, where the page does not
FROM_WORDS_ALONE = "generate"


def make(session: PageSession, values: Mapping[str, Any]) -> None:
    """Make the edits that the page asks for.

    Raises:
        EditError: they are none.
    """
    values = _as_run(session, values)
    photo = session.photos.usable()
    recipe = recipe_of(values, session.selected)
    session.stop()
    session.job = session.submit("make", _making(session, photo, recipe, recipe.prompt))


def draw(session: PageSession, values: Mapping[str, Any]) -> None:
    """Draw the whole picture that the page asks for.

    Raises:
        EditError: it is none.
    """
    values = _as_run(session, values)
    photo = None if values.get("kind") == FROM_WORDS_ALONE else session.photos.usable()
    whole, prompt = generation_of(values, session.selected), _prompt(values)
    if photo is None and prompt is None:
        raise EditError("say what to draw")
    session.stop()
    session.job = session.submit("draw", _making(session, photo, whole, prompt))


def _making(
    session: PageSession, photo: "OpenedPhoto | None", asked: "Recipe | Generation", prompt: str | None
) -> Callable[[Job], None]:
    shown, folder = session.photos.photo, session.folder

    def work(job: Job) -> None:
        from realedit.page.picture_jobs import Asked, make_picture

        made = make_picture(job, session.run, Asked(asked, photo, folder, prompt))
        if session.photos.photo is shown:
            session.add_result(made)

    return work


def find(session: PageSession, values: Mapping[str, Any]) -> None:
    """Select what words name, as the model sees it."""
    photo, words, prompt = session.photos.usable(), str(values.get("words", "")), _prompt(_as_run(session, values))
    session.stop()

    def work(job: Job) -> None:
        from realedit.page.objects_by_words import named_selection

        found = named_selection(job, session.run, prompt, photo, words)
        if session.photos.photo is photo:
            session.selected.found(found)

    session.job = session.submit("find", work)


def look(session: PageSession, values: Mapping[str, Any]) -> None:
    """Find out what the model sees of what the photo is said to show."""
    photo, prompt = session.photos.photo, _prompt(_as_run(session, values))
    if photo is None:
        return
    session.queue.stop(lambda job: job.owner is session and job.kind == "look")

    def work(job: Job) -> None:
        from realedit.page.objects_by_words import seen_words

        words = seen_words(job, session.run, prompt, photo)
        if session.photos.photo is photo:
            session.words = words

    session.words = []
    session.looking = session.submit("look", work)


JOBS: dict[str, Callable[[PageSession, Mapping[str, Any]], None]] = {
    "make": make,
    "draw": draw,
    "find": find,
    "look": look,
}


def _as_run(session: PageSession, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the page sent, and what the command line said of a run where the page says nothing."""
    own = {name: getattr(session.run, name) for name in OF_RUN}
    return own | {name: value for name, value in values.items() if value not in (None, "")}


def _prompt(values: Mapping[str, Any]) -> str | None:
    return str(values.get("prompt") or "")[: LARGEST_TEXT // 64] or None
