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

from inversion.errors import RealEditError
from realedit.page.endpoints import OF_A_SESSION, Endpoint, pages_of
from realedit.page.page_session import PageSession
from realedit.page.pages import Pages

STATIC = Path(__file__).parent / "static"
FILES = {path.name: path for path in STATIC.iterdir()}
ALIVE_SECONDS = 15.0  # after which a page is told that the program still runs, should nothing else be told


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
    if session.photos.photo is not None:
        decoding = asyncio.ensure_future(pages.quick(session.decode, session.photos.photo))
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
            while not pages.leaving:
                changed.clear()
                yield f"data: {json.dumps(pages.state_of(session))}\n\n"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), ALIVE_SECONDS)
        finally:
            session.listeners.discard(changed)
            pages.left(session)

    return StreamingResponse(changes(), media_type="text/event-stream")


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
            for method, path, endpoint in (("GET", "", state), ("GET", "/events", events), *OF_A_SESSION)
        ),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
