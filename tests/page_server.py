"""A page served for tests, in this process, and plain requests to it as any program could send them."""

import contextlib
import http.client
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from inversion.model import DiffusionModel
from realedit.jobs.model_run import ModelRun
from realedit.page.offered import Offered
from realedit.page.server import Address, page_server
from realedit.settings import ModelChoice

PATIENCE = 20.0  # seconds


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json()["error"])


@dataclass
class Served:
    """A running server: its address, and the folder of what it is given."""

    url: str
    folder: Path
    end: Callable[[], None] = lambda: None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def root(self) -> str:
        return urlsplit(self.url).path

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """An answer to a request for a path below the token; one that begins with "//" is sent as it is after that."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        sent = {"Origin": f"http://{self.host}"} | (headers or {})
        target = path[1:] if path.startswith("//") else self.root + path
        connection.request(method, target, body, {k: v for k, v in sent.items() if v})
        answer = connection.getresponse()
        found = Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def new(self) -> "Tab":
        return Tab(self, self.ask("POST", "sessions").json()["session"])


@dataclass
class Tab:
    """One page of a server, without a browser."""

    served: Served
    name: str

    def ask(self, method: str, path: str, body: bytes | str | None = None) -> Answer:
        return self.served.ask(method, f"sessions/{self.name}{path}", body)

    def post(self, path: str, **values: Any) -> Answer:
        return self.ask("POST", path, json.dumps(values))

    def open(self, data: bytes, name: str = "photo.png") -> Answer:
        return self.ask("PUT", f"/photo?name={name}", data)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", "").json()
        return found

    def once(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The state, once it is as wanted."""
        return until(lambda: (lambda now: now if wanted(now) else None)(self.state()))

    def selected(self, **marks: Any) -> int:
        """The number of what is marked in the photo."""
        answer = self.post("/selections", of=self.state()["photo"]["number"], **marks)
        assert answer.status == 200, answer.body
        return int(answer.json()["number"])

    def painted(self, inside: np.ndarray) -> int:
        """The number of a selection that the brush made: pixels (h, w) of the view."""
        number, strokes = self.selected(), np.zeros((*inside.shape, 4), np.uint8)
        strokes[inside] = (0, 255, 0, 255)
        file = io.BytesIO()
        Image.fromarray(strokes).save(file, "PNG")
        assert self.ask("PUT", f"/selections/{number}", file.getvalue()).status == 200
        return number

    def made(self, job: str, **values: Any) -> dict[str, Any]:
        """What is told of the result of a job, once it is there."""
        answer = self.post(f"/jobs/{job}", **values)
        assert answer.status == 204, answer.body
        state = self.once(lambda now: now["job"]["state"] in ("done", "failed"))
        assert state["job"]["error"] is None, state["job"]["error"]
        found: dict[str, Any] = state["results"][-1]
        return found

    def files(self, number: int, options: str = "") -> dict[str, bytes]:
        """All files of a result."""
        answer = self.ask("GET", f"/results/{number}/all?{options}")
        assert answer.status == 200, answer.body
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """As long as a browser would hold the page open."""
        connection = http.client.HTTPConnection(self.served.host, timeout=PATIENCE)
        connection.request("GET", f"{self.served.root}sessions/{self.name}/events")
        connection.getresponse().readline()
        try:
            yield
        finally:
            connection.sock.close() if connection.sock else None
            connection.close()


def until(found: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What a function finds, once it finds anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come")


def loaded_run(model: DiffusionModel) -> ModelRun:
    """The defaults of a command, whose model is loaded already."""
    run = ModelRun(ModelChoice(device="cpu", offline=True), None, "fixed-point", 25, 0, quiet=True)
    vars(run)["model"] = model
    return run


@contextlib.contextmanager
def serving(
    model: DiffusionModel, folder: Path, photo: Path | None = None, offered: Offered = Offered()
) -> Iterator[Served]:
    """A server in a thread, whose model is loaded already."""
    run = loaded_run(model)
    with Address().bound() as bound:
        bound.listen()
        server, url = page_server(run, photo, folder, bound, offered)
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(PATIENCE)

        try:
            until(lambda: server.started)
            yield Served(url, folder, end)
        finally:
            end()
