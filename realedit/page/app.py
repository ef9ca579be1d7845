"""The page's own small web: which address answers with what."""

import asyncio
import contextlib
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from inversion.errors import PhotoError, RealEditError
from realedit.page import downloads
from realedit.page.opened_photo import OpenedPhoto
from realedit.page.page_session import PageSession
from realedit.page.pages import Pages
from realedit.page.uploads import LARGEST_DRAWING, LARGEST_TEXT, LARGEST_UPLOAD, body_of, json_of, safe_name

STATIC = Path(__file__).parent / "static"
FILES = {path.name: path for path in STATIC.iterdir()}
ALIVE_SECONDS = 15.0  # after which a page is told that the program still runs, should nothing else be told
PICTURE = "image/jpeg"
Endpoint = Callable[[Request, PageSession], Awaitable[Response]]


def pages_of(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


def for_session(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that is given the session that its address names, and whose errors are one line for the page."""

    async def answer(request: Request) -> Response:
        session = pages_of(request).sessions.get(request.path_params["session"])
        if session is None:
            return JSONResponse({"error": "this page is not known any more; load it again"}, 404)
        try:
            return await endpoint(request, session)
        except RealEditError as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


async def page(request: Request) -> Response:
    """The page, and what belongs to it, by plain names."""
    path = FILES.get(request.path_params.get("name", "index.html"))
    if path is None:
        raise HTTPException(404)
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
    return FileResponse(path, media_type=kind)


async def new_session(request: Request) -> Response:
    """A session for a page that is opened; with the photo that the command named."""
    pages = pages_of(request)
    session = pages.new()
    if session.photo is not None:
        decoding = asyncio.ensure_future(pages.quick(session.decode, session.photo))
        request.app.state.tasks.add(decoding)
        decoding.add_done_callback(request.app.state.tasks.discard)
    return JSONResponse({"session": session.name})


async def state(request: Request, session: PageSession) -> Response:
    """All that the page shows."""
    return JSONResponse(pages_of(request).state_of(session))


async def events(request: Request, session: PageSession) -> Response:
    """What the page shows, sent anew whenever it changes (server-sent events)."""
    pages = pages_of(request)

    async def changes() -> AsyncIterator[str]:
        changed = asyncio.Event()
        session.listeners.add(changed)
        try:
            while True:
                changed.clear()
                yield f"data: {json.dumps(pages.state_of(session))}\n\n"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), ALIVE_SECONDS)
        finally:
            session.listeners.discard(changed)
            pages.left(session)

    return StreamingResponse(changes(), media_type="text/event-stream")


async def open_photo(request: Request, session: PageSession) -> Response:
    """Take a photo in place of the one before."""
    data, name = await body_of(request, LARGEST_UPLOAD), safe_name(request.query_params.get("name", ""))
    pages = pages_of(request)
    await pages.quick(session.open, lambda number, folder: OpenedPhoto.keep(number, folder, name, data))
    if session.photo is not None:
        await pages.quick(session.decode, session.photo)
    return _found(session.photo)


async def add_other(request: Request, session: PageSession) -> Response:
    """Take a photo from which something is taken."""
    data, name = await body_of(request, LARGEST_UPLOAD), safe_name(request.query_params.get("name", ""))
    return _found(await pages_of(request).quick(session.add_other, name, data))


def _found(photo: OpenedPhoto | None) -> Response:
    if photo is not None and photo.error is not None:
        raise PhotoError(photo.error)
    return JSONResponse({"number": photo.number if photo else None})


async def view(request: Request, session: PageSession) -> Response:
    """A photo as the page shows it; until it is decoded, its own file, if browsers show that."""
    photo = session.photo_of(request.path_params["number"])
    if photo.view is not None:
        return Response(photo.view, media_type=PICTURE)
    if photo.media_type is None:
        raise HTTPException(404)
    return Response(photo.file.data, media_type=photo.media_type)


async def select(request: Request, session: PageSession) -> Response:
    """Select what is marked."""
    found = await pages_of(request).quick(session.select, await json_of(request))
    return JSONResponse(found.as_dict())


async def mask(request: Request, session: PageSession) -> Response:
    """The mask of a selection, as large as the view of its photo."""
    found = session.selection(request.path_params["number"])
    return Response(await pages_of(request).quick(found.view), media_type="image/png")


async def paint(request: Request, session: PageSession) -> Response:
    """Put a selection right with the brush."""
    number, strokes = request.path_params["number"], await body_of(request, LARGEST_DRAWING)
    return JSONResponse((await pages_of(request).quick(session.paint, number, strokes)).as_dict())


async def start(request: Request, session: PageSession) -> Response:
    """Begin a job: make the edits, find what words name, or look for words."""
    values, kind = await json_of(request), request.path_params["kind"]
    pages = pages_of(request)
    prompt = str(values.get("prompt") or "")[: LARGEST_TEXT // 64] or None
    if kind == "make":
        await pages.quick(session.make, values)
    elif kind == "find":
        await pages.quick(session.find, str(values.get("words", "")), prompt)
    elif kind == "look":
        await pages.quick(session.look, prompt)
    else:
        raise HTTPException(404)
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
    data, name = await pages_of(request).quick(downloads.file_of, made, session.folder, wanted)
    return Response(data, media_type="application/octet-stream", headers=downloads.attached(name))


def app_of(pages: Callable[[], Pages]) -> Starlette:
    """The web of pages, which are made when the server starts, and ended with it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.pages, app.state.tasks = pages(), set()
        try:
            yield
        finally:
            app.state.pages.end()

    own = "/sessions/{session}"
    routes = [
        Route("/", page),
        Route("/static/{name}", page),
        Route("/sessions", new_session, methods=["POST"]),
        *(
            Route(own + path, for_session(endpoint), methods=[method])
            for method, path, endpoint in (
                ("GET", "", state),
                ("GET", "/events", events),
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
                ("GET", "/results/{number:int}/{file}", download),
            )
        ),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
