"""The server of the page, on this machine: from a free port and a secret address to its end."""

import contextlib
import ipaddress
import secrets
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from inversion.errors import RealEditError
from realedit.jobs.model_run import ModelRun
from realedit.page.app import app_of
from realedit.page.guard import Guard
from realedit.page.offered import Offered
from realedit.page.pages import Pages
from realedit.page.private_folder import private_folder

LOOPBACK = "127.0.0.1"
ALIASES = ("localhost", "127.0.0.1", "[::1]")  # of a loopback address in a browser
ENDING_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
LEAVE_SECONDS = 1  # that open pages are given at the end


@dataclass(frozen=True)
class Address:
    """Where the page is served; a `port` of 0: any that is free."""

    host: str = LOOPBACK
    port: int = 0

    @property
    def is_loopback(self) -> bool:
        return _is_loopback(self.host)

    def bound(self) -> socket.socket:
        """A socket that listens there.

        Raises:
            RealEditError: the address is not one of this machine, or taken.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((self.host, self.port))
        except OSError as error:
            found.close()
            said = error.strerror or error
            raise RealEditError(f"cannot serve at {self.host} port {self.port}: {said}; take another --port") from error
        return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class PageServer(uvicorn.Server):
    """A server that lets open pages go when it ends: else it would wait for them, and complain."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self.app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.pages.leave()
        await super().shutdown(sockets)


def page_server(
    run: ModelRun, photo: Path | None, folder: Path, bound: socket.socket, offered: Offered = Offered()
) -> tuple[uvicorn.Server, str]:
    """A server of pages that may use what is `offered`, and keep what they are given in a folder, for a socket that
    listens; and the address, with its token, at which it answers once it runs."""
    host, port = bound.getsockname()[:2]
    token, shown = secrets.token_urlsafe(24), f"[{host}]" if ":" in host else host
    hosts = [f"{name}:{port}" for name in (shown, *(ALIASES if _is_loopback(host) else ()))]
    app = app_of(lambda: Pages(run, folder, photo, offered))
    config = uvicorn.Config(
        Guard(app, token, hosts),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LEAVE_SECONDS,
        server_header=False,
        ws="none",
    )
    return PageServer(config, app), f"http://{shown}:{port}/{token}/"


def serve(
    run: ModelRun,
    photo: Path | None,
    address: Address,
    offered: Offered,
    tell: Callable[[str], None],
    *,
    browser: bool,
) -> str | None:
    """Serve the page until the program is interrupted; it may use what is `offered`. `tell` is told the address, which
    is also opened in a browser if that is wished. Returns the name of the signal that ended it, None: by hand.

    Raises:
        RealEditError: it cannot be served there.
    """
    with private_folder() as folder, address.bound() as bound:
        bound.listen()  # so that a browser waits where it is quicker than the server
        server, url = page_server(run, photo, folder, bound, offered)
        tell(url)
        if browser:
            webbrowser.open(url)
        with _ending(server) as signals, contextlib.suppress(KeyboardInterrupt):  # which is how a page ends
            server.run(sockets=[bound])
    return signals[0].name if signals else None


@contextlib.contextmanager
def _ending(server: uvicorn.Server) -> Iterator[list[signal.Signals]]:
    """Within it, signals that end programs end the server instead, so that what it was given is deleted; uvicorn itself
    would let them kill the program afterwards. Gives those that came."""
    came: list[signal.Signals] = []

    def end(number: int, frame: object) -> None:
        came.append(signal.Signals(number))
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in ENDING_SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
