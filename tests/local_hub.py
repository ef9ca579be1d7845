"""A Hugging Face hub of one's own: folders served as models over HTTP on this machine."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

NOBODY = "http://127.0.0.1:9"  # nobody listens there


class LocalHub:
    """Models by id; `asked` is every path that was requested. A revision's commit is a hash of its name."""

    def __init__(self, models: dict[str, dict[str, Path]]) -> None:
        self.models, self.asked, self.url = models, [], ""

    @staticmethod
    def commit(revision: str) -> str:
        return revision if len(revision) == 40 else hashlib.sha1(revision.encode()).hexdigest()

    def find(self, name: str, revision: str) -> Path | None:
        revisions = self.models.get(name, {})
        return next((p for r, p in revisions.items() if revision in (r, self.commit(r))), None)


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub

    def do_HEAD(self) -> None:
        self.respond(body=False)

    def do_GET(self) -> None:
        self.respond(body=True)

    def log_message(self, *_: object) -> None:
        pass

    def respond(self, *, body: bool) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        self.hub.asked.append("/".join(parts))
        if parts[:2] == ["api", "models"]:
            self.describe(parts[2:])
            return
        if len(parts) < 5 or parts[2] != "resolve":
            self.missing("EntryNotFound")
            return
        folder = self.hub.find("/".join(parts[:2]), parts[3])
        path = folder / "/".join(parts[4:]) if folder else None
        if path is None or not path.is_file():
            self.missing("RepoNotFound" if folder is None else "EntryNotFound")
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", self.hub.commit(parts[3]))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def describe(self, parts: list[str]) -> None:
        name, revision = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main"
        folder = self.hub.find(name, revision)
        if folder is None:
            self.missing("RevisionNotFound" if name in self.hub.models else "RepoNotFound")
            return
        files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        if parts[2:3] == ["tree"]:
            answer: object = [
                {"type": "file", "path": p.relative_to(folder).as_posix(), "size": p.stat().st_size, "oid": "0" * 40}
                for p in files
            ]
        else:
            siblings = [
                {"rfilename": p.relative_to(folder).as_posix(), "size": p.stat().st_size, "blobId": "0" * 40}
                for p in files
            ]
            answer = {"id": name, "sha": self.hub.commit(revision), "siblings": siblings, "tags": [], "private": False}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def missing(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def set_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Set the hub's address, which its library reads once, when it is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


@contextmanager
def serving(models: dict[str, dict[str, Path]]) -> Iterator[LocalHub]:
    """Serve models (id: revision: folder) until the block ends."""
    hub = LocalHub(models)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
