"""Requests to the page's server that no page of ours sends."""

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image

from inversion.errors import PhotoError
from realedit.compositing.matting import estimate_matte
from realedit.files.recipe import Recipe
from realedit.images import resize
from realedit.inpainting.photo_fill import fill_from_photo
from realedit.morphology import dilate
from realedit.page import pages
from realedit.page.job_queue import Job, JobQueue
from realedit.page.offered import Offered
from realedit.page.private_folder import PREFIX, private_folder, sweep
from realedit.page.server import LEAVE_SECONDS, Address, serve
from realedit.page.session_jobs import JOBS
from realedit.page.uploads import LARGEST_TEXT, LARGEST_UPLOAD, safe_name
from tests.page_server import Served, loaded_run, serving, until
from tests.plain_scene import DISC, scene

ON_DISC = [40 / 144, 50 / 96]


@pytest.fixture(scope="module")
def served(tabletop, tmp_path_factory):
    with serving(tabletop, tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture
def tab(served):
    return served.new()


def png(size: tuple[int, int] = (144, 96)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene().rgb).resize(size).save(file, "PNG")
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    empty = b"IDAT" + zlib.compress(b"")
    return (
        b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", len(empty) - 4) + empty + struct.pack(">I", zlib.crc32(empty))
    )


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../evil.png", png())
    return file.getvalue()


def animated() -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene().rgb).save(file, "GIF", save_all=True, append_images=[Image.fromarray(scene().rgb[::-1])])
    return file.getvalue()


OTHER_SITES = {
    "another host": ("GET", "", {"Host": "evil.example"}),
    "a name that resolves to loopback": ("GET", "", {"Host": "localtest.me"}),
    "no host": ("GET", "", {"Host": " "}),
    "another port": ("GET", "", {"Host": "127.0.0.1:1"}),
    "another origin": ("GET", "", {"Origin": "http://evil.example"}),
    "a file's origin": ("POST", "sessions", {"Origin": "null"}),
    "another scheme": ("POST", "sessions", {"Origin": "https://{host}"}),
    "a longer origin": ("POST", "sessions", {"Origin": "http://{host}.evil.example"}),
    "no origin": ("POST", "sessions", {"Origin": ""}),
    "a form of another site": ("GET", "", {"Origin": "", "Sec-Fetch-Site": "cross-site"}),
    "a picture on a site of the same computer": ("GET", "", {"Origin": "", "Sec-Fetch-Site": "same-site"}),
}


@pytest.mark.parametrize("name", OTHER_SITES)
def test_other_sites_are_told_nothing(served: Served, name):
    method, path, headers = OTHER_SITES[name]
    answer = served.ask(method, path, headers={k: v.format(host=served.host) for k, v in headers.items()})
    assert answer.status in (400, 403)
    assert b"realedit</title>" not in answer.body


@pytest.mark.parametrize("path", ["//", "//x/", "///", "//{root}x/", "//static/main.js", "//sessions", "//%00/"])
def test_without_the_token_there_is_nothing(served: Served, path):
    target = path.format(root=served.root.strip("/"))
    assert served.ask("GET", target).status == 404
    assert served.root.strip("/").encode() not in served.ask("GET", target).body


def test_answers_carry_what_keeps_browsers_in(served: Served, tab):
    for answer in (
        served.ask("GET", ""),
        served.ask("GET", "static/main.js"),
        tab.ask("GET", ""),
        served.ask("GET", "//"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "static/../app.py",
        "static/..%2fapp.py",
        "static/%2e%2e/app.py",
        "static/",
        "static//etc/passwd",
        "static/nothing.js",
        "sessions/none",
        "sessions/../../etc",
        "sessions/none/photos/1",
    ],
)
def test_no_path_leads_out(served: Served, path):
    assert served.ask("GET", path).status == 404


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\a.png", "a.png"),
        ("/etc/cron.d/x.png", "x.png"),
        (".bashrc", "bashrc"),
        ("..", "photo"),
        ("", "photo"),
        ("-rf.png", "rf.png"),
        ("a\0b\n\x1b[31m.png", "ab[31m.png"),
        ("a" * 500 + ".jpeg", "a" * 75 + ".jpeg"),
        ("schöner Tag.JPG", "schöner Tag.JPG"),
        ("c:evil|.png", "cevil.png"),
    ],
)
def test_a_files_name_is_no_path(tab, given, kept):
    assert safe_name(given) == kept
    assert tab.open(png(), quote(given, safe="")).status == 200
    state = tab.state()
    assert state["photo"]["name"] == kept
    (folder,) = (path for path in tab.served.folder.iterdir() if path.name == tab.name)
    assert [path.name for path in folder.iterdir()] == [kept]
    assert folder.stat().st_mode & 0o077 == 0


BAD_PHOTOS = {
    "a header of 50,000 x 50,000 pixels": (png_header(50_000, 50_000), "million pixels"),
    "a header without pixels": (png_header(500, 500), ""),
    "a zip named .png": (zipped(), "in none of the formats"),
    "a text": (b"<script>alert(1)</script>", "in none of the formats"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://x/"/></svg>', "in none of the formats"),
    "nothing": (b"", "empty"),
    "half a photo": (png()[:-2000], ""),
    "a photo of 10 pixels": (png((10, 10)), "at least 64"),
    "an animation": (animated(), "2 frames"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_what_is_no_photo_is_refused_in_one_line(tab, name):
    data, said = BAD_PHOTOS[name]
    assert tab.open(png(), "good.png").status == 200
    began = time.monotonic()
    answer = tab.open(data)
    assert answer.status == 400
    assert said in answer.error
    assert "\n" not in answer.error
    assert time.monotonic() - began < 5
    assert tab.state()["photo"]["name"] == "good.png"  # the photo before it stays
    assert str(tab.served.folder) not in answer.error


def test_uploads_are_bounded(tab):
    told = tab.served.ask("PUT", f"sessions/{tab.name}/photo", b"", {"Content-Length": str(LARGEST_UPLOAD + 1)})
    assert told.status == 400
    assert "larger than" in told.error
    assert "larger than" in tab.ask("POST", "/selections", b" " * (LARGEST_TEXT + 1)).error


BAD_MARKS = {
    "a million points": {"points": [[0.5, 0.5]] * 1_000_000},
    "a hundred points": {"points": [[0.5, 0.5]] * 100},
    "a point outside": {"points": [[2, 0.5]]},
    "no number": {"points": [["x", 0.5]]},
    "infinity": {"points": [[1e999, 0.5]]},
    "an inverted box": {"box": [0.9, 0.9, 0.1, 0.1]},
    "a mask's path": {"mask": "/etc/passwd"},
    "a scribble's path": {"around": "/etc/passwd"},
    "a scribble that is none": {"around": 10_000},
    "a segmenter's path": {"points": [[0.5, 0.5]], "segmenter": "/opt/sam"},
    "another's photo": {"of": 10_000},
    "a list": {"of": []},
}


@pytest.mark.parametrize("name", BAD_MARKS)
def test_marks_that_cannot_be_meant(tab, name):
    tab.open(png())
    answer = tab.post("/selections", **({"of": tab.state()["photo"]["number"]} | BAD_MARKS[name]))
    assert answer.status == 400
    assert answer.error
    assert "\n" not in answer.error


def selected(tab) -> int:
    tab.open(png())
    answer = tab.post("/selections", of=tab.state()["photo"]["number"], points=[ON_DISC])
    assert answer.status == 200, answer.body
    return int(answer.json()["number"])


BAD_RECIPES = {
    "none": {},
    "no list": {"edit": "all"},
    "a path of another photo": {"edit": [{"kind": "insert", "from": "/etc/passwd", "to": [0.5, 0.5]}]},
    "a web address": {"edit": [{"kind": "insert", "from": "http://evil.example/x.png", "to": [0.5, 0.5]}]},
    "a path of a filler": {"edit": [{"kind": "remove", "object": "o"}], "fill": "/opt/evil.onnx"},
    "a hub's filler": {"edit": [{"kind": "remove", "object": "o"}], "fill": "evil/model"},
    "an unknown kind": {"edit": [{"kind": "eval", "object": "o"}]},
    "an unknown key": {"edit": [{"kind": "remove", "object": "o", "run": "rm"}]},
    "a million steps": {"edit": [{"kind": "remove", "object": "o"}], "steps": 1_000_000},
    "a selection that is none": {"edit": [{"kind": "remove", "object": "o"}], "where": {"o": 77777}},
    "a selection's path": {"edit": [{"kind": "remove", "object": "o"}], "where": {"o": "/etc/passwd"}},
    "out of the photo": {"edit": [{"kind": "move", "object": "o", "to": [5, 5]}]},
}


@pytest.mark.parametrize("name", BAD_RECIPES)
def test_recipes_that_the_page_never_sends(tab, name):
    number = selected(tab)
    answer = tab.post("/jobs/make", **({"where": {"o": number}} | BAD_RECIPES[name]))
    assert answer.status == 400
    assert "\n" not in answer.error
    assert tab.state()["job"] is None


BAD_PICTURES = {
    "none": {},
    "an unknown kind": {"kind": "eval"},
    "a kind that is no word": {"kind": ["fill"]},
    "nothing marked": {"kind": "fill"},
    "a mark's path": {"kind": "fill", "where": "/etc/passwd"},
    "a region": {"kind": "fill", "where": {"mask": "/etc/passwd"}},
    "a path of a filler": {"kind": "fill", "where": 2, "fill": "/opt/evil.onnx"},
    "a filler of no name": {"kind": "fill", "where": 2, "fill": ["photo"]},
    "a path of another photo": {"kind": "transfer-whole", "from": "/etc/passwd", "from_prompt": "a"},
    "an unknown engine": {"kind": "redraw", "engine": {"kind": "magic"}},
    "no engine": {"kind": "redraw", "engine": "sdedit"},
    "too strong": {"kind": "redraw", "engine": {"kind": "sdedit", "strength": 1e9}},
    "a map's path": {"kind": "relook", "control": {"picture": "/etc/passwd", "model": "m"}},
    "a million pixels": {"kind": "generate", "prompt": "a ball", "size": [1_000_000, 1]},
    "a million steps": {"kind": "relayout", "steps": 1_000_000},
    "without words": {"kind": "generate"},
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_pictures_that_the_page_never_asks_for(tab, name):
    assert selected(tab) == 2
    answer = tab.post("/jobs/draw", **BAD_PICTURES[name])
    assert answer.status == 400
    assert "\n" not in answer.error
    assert tab.state()["job"] is None


def test_keys_that_name_files_are_left_out(tab):
    """A recipe may name a picture of what stays in front; the page may not, for it would be a path."""
    number = selected(tab)
    edit = [{"kind": "remove", "object": "o"}]
    assert tab.post("/jobs/make", edit=edit, where={"o": number}, behind="/etc/passwd", photos={"/x": {}}).status == 204
    tab.ask("DELETE", "/jobs")
    assert tab.post("/jobs/make", edit=edit, where={"o": number}, behind=["/etc/passwd"]).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/selections/{n}", b"no picture"),
        ("PUT", "/selections/{n}", png()),
        ("PUT", "/selections/99999", png()),
        ("POST", "/selections", b"[" * 100_000),
        ("POST", "/selections", b"\xff"),
        ("POST", "/jobs/make", b"[1]"),
        ("GET", "/results/1", None),
        ("GET", "/results/1/photo", None),
        ("POST", "/others?name=x.png", zipped()),
    ],
)
def test_what_is_not_there_or_no_picture(tab, method, path, body):
    number = selected(tab)
    view = tab.ask("GET", f"/selections/{number}").body
    answer = tab.ask(method, path.format(n=number), body)
    if body == png():  # of the view's size: a picture of strokes, if of odd colours
        assert answer.status in (200, 400)
        return
    assert answer.status == 400, answer.body
    assert tab.ask("GET", f"/selections/{number}").body == view


def test_nothing_of_an_old_photo_survives_a_new_one(tab):
    number = selected(tab)
    tab.open(png((160, 100)), "new.png")
    state = tab.state()
    assert state["photo"]["size"] == [160, 100]
    assert (state["selections"], state["results"], state["job"]) == ([], [], None)
    assert tab.ask("GET", f"/selections/{number}").status == 400
    assert [path.name for path in (tab.served.folder / tab.name).iterdir()] == ["new.png"]


def test_two_pages_know_nothing_of_each_other(served: Served):
    one, two = served.new(), served.new()
    number = selected(one)
    two.open(png())
    assert two.ask("GET", f"/selections/{number}").status == 400
    assert two.state()["selections"] == []
    assert [s["number"] for s in one.state()["selections"]] == [number]


def test_pages_are_bounded(served: Served):
    first = served.new()
    for _ in range(pages.MOST_PAGES):
        served.new()
    assert first.ask("GET", "").status == 404
    assert not (served.folder / first.name).exists() or not any((served.folder / first.name).iterdir())


class Endless:
    """Work of a sampler that never comes to an end by itself."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, job: Job) -> None:
        while True:
            time.sleep(0.005)
            self.steps += 1
            job.show("sampling")


def test_jobs_wait_for_each_other_and_stop_at_once():
    queue, told = JobQueue(), []
    work = Endless()
    one, two, three = (
        Job(k, k, "make", w, lambda: told.append(1)) for k, w in enumerate((work, Endless(), lambda job: None))
    )
    try:
        for job in (one, two, three):
            queue.add(job)
        until(lambda: work.steps > 2)
        assert [queue.ahead_of(job) for job in (one, two, three)] == [0, 1, 2]
        assert [job.state for job in (one, two, three)] == ["running", "waiting", "waiting"]
        queue.stop(lambda job: job is two)
        assert two.state == "stopped"
        assert queue.ahead_of(three) == 1
        before = work.steps
        one.stop()
        until(lambda: three.state == "done")
        assert one.state == "stopped"
        assert work.steps <= before + 2
    finally:
        queue.end()


def test_what_tells_no_steps_is_stopped_too():
    """Filling, matting and measuring ask on their way whether they may go on."""
    mask = torch.from_numpy(DISC)[None, None].float()
    photo, still = scene().tensor(), torch.zeros_like(mask)
    works = {
        "filling": lambda: fill_from_photo(photo, mask, still),
        "matting": lambda: estimate_matte(photo, mask),
        "a depth": lambda: dilate(mask, 0.1),
        "another size": lambda: resize(photo, (300, 200)),
    }
    for name, work in works.items():
        begun = threading.Event()

        def endless(job: Job, work: Callable[[], object] = work, begun: threading.Event = begun) -> None:
            while True:
                work()
                begun.set()

        queue = JobQueue()
        job = Job(1, None, name, endless, lambda: None)
        try:
            queue.add(job)
            assert begun.wait(10), name
            job.stop()
            until(lambda job=job: job.state == "stopped", 2)
        finally:
            queue.end()


def test_a_failed_job_is_told_and_the_next_one_runs(capsys):
    def fail(job: Job) -> None:
        raise PhotoError("one line")

    def break_down(job: Job) -> None:
        raise RuntimeError("CUDA out of memory")

    queue = JobQueue()
    jobs = [Job(k, k, "make", work, lambda: None) for k, work in enumerate((fail, break_down, lambda job: None))]
    try:
        for job in jobs:
            queue.add(job)
        until(lambda: jobs[-1].state == "done")
        assert jobs[0].error == "one line"
        assert "--memory lean" in str(jobs[1].error)
    finally:
        queue.end()


def test_a_closed_page_frees_its_job(served: Served, monkeypatch):
    monkeypatch.setattr(pages, "GRACE_SECONDS", 0.2)
    works = [Endless(), Endless()]
    made = iter(works)
    monkeypatch.setitem(
        JOBS, "make", lambda session, values: setattr(session, "job", session.submit("make", next(made)))
    )
    one, two = served.new(), served.new()
    one.open(png())
    two.open(png())
    with one.watched():
        one.post("/jobs/make")
        two.post("/jobs/make")
        until(lambda: works[0].steps)
        assert two.state()["job"]["ahead"] == 1
        with one.watched():  # loaded again: a second connection before the first is given up
            pass
        time.sleep(0.4)
        assert one.state()["job"]["state"] == "running"
    assert one.once(lambda now: now["job"]["state"] == "stopped")
    until(lambda: works[1].steps)
    two.ask("DELETE", "/jobs")
    assert two.once(lambda now: now["job"]["state"] == "stopped")


def test_the_folder_is_private_and_goes_with_the_program(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "photo.jpg").write_bytes(b"x")
        sweep(tmp_path)
        assert (folder / "photo.jpg").exists()  # another program that starts leaves it alone
    assert not folder.exists()
    killed = tmp_path / f"{PREFIX}killed"
    killed.mkdir()
    (killed / "lock").touch()
    (killed / "photo.jpg").touch()
    with private_folder():
        assert not killed.exists()


def test_an_open_page_is_let_go_when_the_server_ends(tabletop, tmp_path):
    with serving(tabletop, tmp_path) as found, found.new().watched():
        began = time.monotonic()
        found.end()
        assert time.monotonic() - began < LEAVE_SECONDS


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])  # as by a system that shuts down, a terminal that is closed
def test_a_signal_ends_the_page_in_order(tabletop, tmp_path, monkeypatch, name):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run, told = loaded_run(tabletop), []

    def tell(url: str) -> None:
        told.append(list(tmp_path.iterdir()))
        threading.Timer(0.5, os.kill, (os.getpid(), getattr(signal, name))).start()

    before = signal.getsignal(getattr(signal, name))
    assert serve(run, None, Address(), Offered(), tell, browser=False) == name
    assert len(told[0]) == 1
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.slow
def test_an_interrupted_program_leaves_nothing(tmp_path, plain):
    """Starts an interpreter of its own, to be killed."""
    command = [sys.executable, "-m", "realedit.cli", "ui", str(plain), "--no-browser"]
    environment = os.environ | {"TMPDIR": str(tmp_path / "temp")}
    (tmp_path / "temp").mkdir()
    for how, left in ((signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGKILL, 1), (signal.SIGINT, 0)):
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert program.stdout is not None
        assert program.stdout.readline().startswith("http://127.0.0.1:")
        time.sleep(1)
        program.send_signal(how)
        program.wait(timeout=20)
        assert len(list((tmp_path / "temp").glob(f"{PREFIX}*"))) == left


def test_what_is_asked_is_a_recipe_like_any_other(tab):
    number = selected(tab)
    strokes = np.zeros((96, 144, 4), np.uint8)
    strokes[DISC] = (255, 0, 0, 255)
    strokes[10:30, 100:130] = (0, 255, 0, 255)
    file = io.BytesIO()
    Image.fromarray(strokes).save(file, "PNG")
    assert tab.ask("PUT", f"/selections/{number}", file.getvalue()).json()["brushed"]
    assert Recipe.model_validate({"edit": [{"kind": "remove", "object": "o"}], "where": {"o": {"mask": "m.png"}}})
    mask = np.asarray(Image.open(io.BytesIO(tab.ask("GET", f"/selections/{number}").body)).convert("LA"))[..., 1] > 127
    assert mask[12:28, 102:128].all()
    assert not mask[DISC].any()
    assert Path(tab.served.folder / tab.name).is_dir()
