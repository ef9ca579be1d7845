"""Who may ask the page's server for anything: a browser on this machine that was given the address with its token, and
that shows this page and no other. Everybody else is told nothing."""

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD")
HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",  # the address holds the token
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


class Guard:
    """Lets a request through to `app` if its first folder is the `token`, its Host is one of the `hosts` (with the
    port), and it comes from no other site; the token is cut off its path."""

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str]) -> None:
        self.app = app
        self.token = token.encode()
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, _with_headers(send))
            return
        path = scope["path"][len(self.token) + 1 :]
        await self.app(
            dict(scope) | {"path": path or "/", "raw_path": path.encode(), "root_path": ""},
            receive,
            _with_headers(send),
        )

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """What is answered to who must not ask; None if they may."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if headers.get(b"host", b"").decode("latin-1") not in self.hosts:
            return PlainTextResponse("this address is not the one that realedit printed", 403)
        origin = headers.get(b"origin")
        if origin is None and scope["method"] not in SAFE_METHODS:
            return PlainTextResponse("only the page itself may change anything", 403)
        if origin is not None and not self._is_own(origin.decode("latin-1")):
            return PlainTextResponse("other sites may not ask", 403)
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return PlainTextResponse("other sites may not ask", 403)
        given = scope["path"].split("/")[1].encode()
        if not secrets.compare_digest(given, self.token):
            return PlainTextResponse("open the address that realedit printed, with its token", 404)
        return None

    def _is_own(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc in self.hosts


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name, value) for name, value in message["headers"] if name.lower() not in HEADERS]
            message = dict(message) | {"headers": [*own, *HEADERS.items()]}
        await send(message)

    return with_headers
