"""What the page's server answers about the photos, selections, jobs and results of one open page."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inversion.errors import PhotoError
from realedit.page import downloads
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.page_session import PageSession
from realedit.page.pages import Pages
from realedit.page.session_jobs import JOBS
from realedit.page.uploads import LARGEST_DRAWING, LARGEST_UPLOAD, body_of, json_of, safe_name

PICTURE = "image/jpeg"
Endpoint = Callable[[Request, PageSession], Awaitable[Response]]


def pages_of(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


async def open_photo(request: Request, session: PageSession) -> Response:
    """Take a photo in place of the one before."""
    data, name = await body_of(request, LARGEST_UPLOAD), safe_name(request.query_params.get("name", ""))
    pages, before = pages_of(request), session.photos.photo

    def keep(number: int, folder: Path) -> OpenedPhoto:
        found = OpenedPhoto.keep(number, folder, name, data)
        if before is not None:
            found.decode()  # before it takes the place of the old one, which stays if it is damaged
        return found

    await pages.quick(session.open, keep)
    return await _decoded(pages, session, session.photos.photo)


async def open_result(request: Request, session: PageSession) -> Response:
    """Take a result in place of the photo, to go on with it."""
    pages = pages_of(request)
    await pages.quick(session.open_result, request.path_params["number"])
    return await _decoded(pages, session, session.photos.photo)


async def add_other(request: Request, session: PageSession) -> Response:
    """Take a photo from which something is taken."""
    data, name = await body_of(request, LARGEST_UPLOAD), safe_name(request.query_params.get("name", ""))
    pages = pages_of(request)
    return await _decoded(pages, session, await pages.quick(session.photos.add_other, name, data))


async def _decoded(pages: Pages, session: PageSession, photo: OpenedPhoto | None) -> Response:
    if photo is not None:
        await pages.quick(session.decode, photo)
    if photo is not None and photo.error is not None:
        raise PhotoError(photo.error)
    return JSONResponse({"number": photo.number if photo else None})


async def view(request: Request, session: PageSession) -> Response:
    """A photo as the page shows it; until it is decoded, its own file, if browsers show that."""
    photo = session.photos.of(request.path_params["number"])
    if photo.view is not None:
        return Response(photo.view, media_type=PICTURE)
    if photo.media_type is None:
        raise HTTPException(404)
    return Response(photo.file.data, media_type=photo.media_type)


async def select(request: Request, session: PageSession) -> Response:
    """Select what is marked."""
    found = await pages_of(request).quick(session.selected.select, await json_of(request))
    session.tell()
    return JSONResponse(found.as_dict())


async def mask(request: Request, session: PageSession) -> Response:
    """The mask of a selection, as large as the view of its photo."""
    found = session.selected.of(request.path_params["number"])
    return Response(await pages_of(request).quick(found.view), media_type="image/png")


async def paint(request: Request, session: PageSession) -> Response:
    """Put a selection right with the brush."""
    number, strokes = request.path_params["number"], await body_of(request, LARGEST_DRAWING)
    found = await pages_of(request).quick(session.selected.paint, number, strokes)
    session.tell()
    return JSONResponse(found.as_dict())


async def start(request: Request, session: PageSession) -> Response:
    """Begin a job."""
    values, begin = await json_of(request), JOBS.get(request.path_params["kind"])
    if begin is None:
        raise HTTPException(404)
    await pages_of(request).quick(begin, session, values)
    return Response(status_code=204)


async def stop(request: Request, session: PageSession) -> Response:
    """Stop what the page waits for."""
    session.stop()
    return Response(status_code=204)


async def preview(request: Request, session: PageSession) -> Response:
    """The last early picture of the edit that is being made."""
    job = session.job
    if job is None or job.preview is None:
        raise HTTPException(404)
    return Response(job.preview, media_type=PICTURE)


async def result(request: Request, session: PageSession) -> Response:
    """A result as the page shows it."""
    return Response(session.result(request.path_params["number"]).view, media_type=PICTURE)


async def download(request: Request, session: PageSession) -> Response:
    """A file of a result."""
    made = session.result(request.path_params["number"])
    wanted = downloads.Wanted.read(request.path_params["file"], request.query_params)
    data, name = await pages_of(request).quick(downloads.file_of, made, wanted, session.offered)
    return Response(data, media_type="application/octet-stream", headers=downloads.attached(name))


OF_A_SESSION: tuple[tuple[str, str, Endpoint], ...] = (
    ("PUT", "/photo", open_photo),
    ("POST", "/others", add_other),
    ("GET", "/photos/{number:int}", view),
    ("POST", "/selections", select),
    ("GET", "/selections/{number:int}", mask),
    ("PUT", "/selections/{number:int}", paint),
    ("POST", "/jobs/{kind}", start),
    ("DELETE", "/jobs", stop),
    ("GET", "/preview", preview),
    ("GET", "/results/{number:int}", result),
    ("POST", "/results/{number:int}", open_result),
    ("GET", "/results/{number:int}/{file}", download),
)
"""By method and path below that of the session."""
