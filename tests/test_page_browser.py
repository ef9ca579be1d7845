"""The page in a real browser: mouse, finger and keyboard on a photo that the bundled model does not know."""

import io
import json
import math
import shlex
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from realedit.cli import main
from realedit.files.writing import save_photo
from tests.page_server import PATIENCE, Served, serving, until
from tests.plain_scene import DISC, HEIGHT, WIDTH, scene

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOW = "the page is tested in Chromium, which is not here; get one with: apt-get install chromium"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=HOW)

MIDDLE = (40 / WIDTH, 50 / HEIGHT)  # of the disc
PATCH = np.s_[34:62, 96:120]
MIDDLE_OF_PATCH = (108 / WIDTH, 48 / HEIGHT)
OUTLINE_SECONDS = 2.0


@pytest.fixture(scope="module")
def served(tabletop, tmp_path_factory) -> Iterator[Served]:
    with serving(tabletop, tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, served) -> Iterator[Callable[..., "Desk"]]:
    """Opens the page in a window of its own."""
    contexts, broken = [], []

    def window(width: int = 1280, height: int = 800, **options: Any) -> Desk:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(served.url)
        return Desk(page)

    yield window
    for context in contexts:
        context.close()
    assert not broken


class Desk:
    """A window with the page, and hands."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def known(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def once(self, expression: str) -> Any:
        return until(lambda: self.known(expression))

    def put(self, path: Path) -> None:
        """Choose a photo, and wait until it is shown."""
        self.page.set_input_files("#file", str(path))
        self.once(f"realedit.photo()?.name === {json.dumps(path.name)} && realedit.photo().ready && !!realedit.view")
        self.once("realedit.stage.drawn > 0 && realedit.stage.image === realedit.view")

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the photo is in the window."""
        box = self.page.locator("#stage").bounding_box()
        x, y = self.known(f"realedit.stage.toScreen({json.dumps(point)})")
        return box["x"] + x, box["y"] + y

    def click(self, point: tuple[float, float], **options: Any) -> None:
        self.page.mouse.click(*self.at(point), **options)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        (x, y), (to_x, to_y) = self.at(start), self.at(end)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(to_x, to_y, steps=steps)
        self.page.mouse.up()

    def select(self, point: tuple[float, float] = MIDDLE) -> float:
        """Click a thing. Returns the seconds until its outline is there."""
        began = time.monotonic()
        self.click(point)
        self.page.wait_for_selector("#part-actions")
        return time.monotonic() - began

    def make(self) -> None:
        self.page.click("#make")
        self.page.wait_for_selector("#keep")

    def edits(self) -> list[Any]:
        return list(self.known("realedit.doc.now.edits"))

    def download(self, what: str) -> tuple[bytes, str]:
        with self.page.expect_download() as coming:
            self.page.click(what)
        return Path(coming.value.path()).read_bytes(), coming.value.suggested_filename

    def shown(self) -> np.ndarray:
        """The photo's part of the window (h, w, 3)."""
        box = self.page.locator("#stage").bounding_box()
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=box))).convert("RGB"))


@pytest.fixture(autouse=True)
def one_model(tabletop, monkeypatch):
    """Commands have the model that the page has: it is loaded once."""
    monkeypatch.setattr("inversion.loading.load_model", lambda *values, **options: tabletop)


@pytest.fixture
def unasked(monkeypatch):
    """The model is not asked whether it knows the plain photo, which it does not."""
    monkeypatch.setattr("realedit.objects.recognition.unfamiliarity", lambda *values: math.inf)


def run_command(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, [*shlex.split(line)[1:], "-q"], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_a_thing_is_dragged_and_the_file_is_that_of_the_command(opened, tmp_path, monkeypatch):
    photo = tmp_path / "plain.jpg"
    save_photo(scene(), photo)
    desk = opened()
    desk.put(photo)
    assert desk.select() < OUTLINE_SECONDS
    assert desk.known("realedit.selectionOf(realedit.doc.thing(realedit.current)).size") == pytest.approx(
        DISC.mean(), rel=0.1
    )
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    (x, y), goal = desk.at(MIDDLE), desk.at((0.6, 0.55))
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(*goal, steps=12)
    assert not asked  # it follows the pointer without the server
    before = desk.shown()
    desk.page.mouse.up()
    desk.page.mouse.wheel(0, -100)
    desk.once("realedit.doc.now.edits[0]?.scale > 1.05")
    assert np.abs(desk.shown().astype(int) - before).mean() > 0.3  # it grew under the wheel
    (edit,) = desk.edits()
    assert edit["d"][0] == pytest.approx(0.6 - MIDDLE[0], abs=0.02)
    desk.make()
    line = desk.known("realedit.stagedResult().command")
    assert line.startswith("realedit move plain.jpg object --by ")
    assert "identical pixels" in desk.page.inner_text("#panel")
    left = desk.at((0.5, 0.9))[0]
    desk.page.locator("#split").focus()
    desk.page.keyboard.press("Home")
    desk.once("realedit.stage.split === 0")
    desk.drag((0.05, 0.9), (0.5, 0.9))
    assert desk.known("realedit.stage.split") == pytest.approx(0.5, abs=0.02)
    assert left > 0
    desk.page.click("#keep")
    data, name = desk.download("#download")
    assert name == "plain-moved.jpg"
    assert desk.page.inner_text("#command") == line
    run_command(line, tmp_path, monkeypatch)
    assert data == (tmp_path / name).read_bytes()


@pytest.fixture
def two_things(tmp_path) -> Path:
    """The plain photo, with a red patch beside its disc."""
    path, rgb = tmp_path / "two.png", scene().rgb.copy()
    rgb[PATCH] = (200, 60, 40)
    save_photo(replace(scene(), rgb=rgb), path)
    return path


def test_edits_add_up_and_can_be_taken_back(opened, two_things, plain, monkeypatch, unasked):
    """Two things change places and one of them takes the look of a third, in another photo; a painted speck is
    duplicated; undo and redo, a page that is loaded again, and a new photo."""
    desk = opened(color_scheme="dark")
    desk.put(two_things)
    desk.drag((0.13, 0.28), (0.44, 0.76))
    desk.page.wait_for_selector("#part-actions")
    desk.page.click("#do-swap")
    desk.click(MIDDLE_OF_PATCH)
    desk.once("realedit.doc.now.edits[0]?.kind === 'swap'")
    desk.page.click("#do-transfer")
    desk.page.set_input_files("#other input[type=file]", str(plain))
    desk.once("realedit.server.others[0]?.ready && !!document.querySelector('#other-stage')")
    desk.once("document.querySelector('#other-stage .base').width > 0")
    box = desk.page.locator("#other-stage").bounding_box()
    side = min(box["width"] / WIDTH, box["height"] / HEIGHT)
    desk.page.mouse.click(
        box["x"] + box["width"] / 2 + (MIDDLE[0] - 0.5) * WIDTH * side * 0.95,
        box["y"] + box["height"] / 2 + (MIDDLE[1] - 0.5) * HEIGHT * side * 0.95,
    )
    desk.page.click("#other-take:not([disabled])")
    desk.once("realedit.doc.now.edits.length === 2")
    desk.page.click("#forget")
    desk.page.click("[data-tool=add]")
    desk.drag((0.45, 0.1), (0.5, 0.1))
    desk.page.wait_for_selector("#part-actions")
    desk.page.click("[data-tool=erase]")
    desk.drag((0.5, 0.05), (0.5, 0.15))
    desk.once("realedit.doc.thing(realedit.current).strokes.length === 2")
    desk.page.keyboard.press("Control+z")  # the second stroke
    desk.once("realedit.doc.thing(realedit.current).strokes.length === 1")
    desk.page.click("[data-tool=select]")
    desk.page.fill("#thing-name", "a speck")
    desk.page.click("#do-duplicate")
    assert [edit["kind"] for edit in desk.edits()] == ["swap", "transfer", "duplicate"]
    desk.page.reload()
    desk.once("realedit.photo()?.ready && realedit.doc.now.edits.length === 3")
    desk.make()
    desk.page.click("#keep")
    desk.page.wait_for_selector("#download")
    desk.page.click("#undo")
    assert desk.known("realedit.doc.now.kept") is None
    desk.page.click("#redo")
    assert desk.known("realedit.doc.now.kept") is not None
    data, name = desk.download("#everything")
    assert name == "two-edited.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        made = archive.read("two-edited.png")
        told = json.loads(archive.read("two-edited.png.realedit.json"))
        archive.extractall(plain.parent)
    assert [edit["kind"] for edit in told["recipe"]["edit"]] == ["swap", "transfer", "duplicate"]
    (plain.parent / "two-edited.png").unlink()
    (plain.parent / "two-edited.png.realedit.json").unlink()
    run_command(desk.page.inner_text("#command"), plain.parent, monkeypatch)
    assert (plain.parent / "two-edited.png").read_bytes() == made
    by_command = json.loads((plain.parent / "two-edited.png.realedit.json").read_text())
    assert {**told, "report": None} == {**by_command, "report": None}
    other = plain.with_name("other.png")
    shutil.copy(plain, other)
    desk.put(other)
    assert desk.edits() == []
    assert not desk.known("realedit.doc.canUndo || realedit.current || realedit.server.results.length")


def test_without_a_mouse(opened, plain, unasked):
    desk = opened()
    desk.put(plain)
    page = desk.page
    page.focus("#stage")
    for _ in range(11):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector("#part-actions")
    assert "selected" in page.inner_text("#live")
    page.focus("#stage")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    desk.once("realedit.doc.now.edits[0]?.d[1] > 0.05")
    (edit,) = desk.edits()
    assert edit["d"] == pytest.approx([2 / WIDTH, 9 / HEIGHT], abs=1e-4)
    page.fill("#move-x", "30")
    page.keyboard.press("Tab")
    desk.once(f"Math.abs(realedit.doc.now.edits[0].d[0] - {30 / WIDTH}) < 1e-4")
    page.focus("#stage")
    page.keyboard.press("Delete")
    assert [each["kind"] for each in desk.edits()] == ["remove"]
    page.keyboard.press("Control+z")
    assert [each["kind"] for each in desk.edits()] == ["move"]
    page.keyboard.press("Escape")
    assert desk.known("realedit.current") is None
    seen = set()
    for _ in range(40):  # everything that can be done is reached by the tabulator
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.dataset?.tool"))
    assert {"stage", "undo", "open", "make", "insert", "options", "select", "add", "zoom-in"} <= seen


def test_stop_and_errors_and_a_refused_file(opened, plain, tmp_path, unasked):
    desk = opened()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no photo")
    desk.page.set_input_files("#file", str(bad))
    desk.once("document.getElementById('open-error').textContent.includes('none of the formats')")
    desk.put(plain)
    desk.click((0.85, 0.2))  # bare floor
    desk.page.wait_for_selector("#error")
    assert "\n" not in desk.page.inner_text("#error")
    desk.select()
    assert desk.page.query_selector("#error") is None
    desk.page.click("#do-restyle")
    desk.page.fill("#restyle-as", "green ball")
    desk.page.keyboard.press("Enter")
    desk.page.click("#make")
    desk.page.click("#stop")
    desk.once("!realedit.busy() && realedit.server.job.state === 'stopped'")
    assert desk.known("realedit.server.results.length") == 0
    assert desk.edits()[0]["as"] == "green ball"  # and can be made again
    desk.page.wait_for_selector("#make:not([disabled])")


def touch(desk: Desk, moves: list[list[tuple[float, float]]]) -> None:
    """Fingers on the window: each a list of places, all as long."""
    client = desk.page.context.new_cdp_session(desk.page)
    for k, places in enumerate(zip(*moves, strict=True)):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": points})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_what_is_selected_is_filled_and_gone_on_with(opened, plain, unasked):
    desk = opened()
    desk.put(plain)
    desk.select()
    desk.page.click("#more-ways")
    desk.page.click("#do-fill")
    desk.page.click("#whole-more")
    desk.page.select_option("#whole-fill", "photo")
    desk.page.click("#draw")
    desk.page.wait_for_selector("#go-on")
    data, name = desk.download("#download")
    desk.page.click("#go-on")
    desk.once("realedit.photo()?.name === 'plain-filled.png' && realedit.photo().ready")
    assert name == "plain-filled.png"
    assert np.abs(np.asarray(Image.open(io.BytesIO(data)))[DISC].mean(0) - (150, 130, 110)).max() < 12  # floor
    assert not desk.known("realedit.doc.now.things.length || realedit.server.results.length")


def test_on_a_phone(opened, plain, unasked):
    desk = opened(390, 780, has_touch=True, is_mobile=True, device_scale_factor=2)
    desk.put(plain)
    x, y = desk.at(MIDDLE)
    desk.page.touchscreen.tap(x, y)
    desk.page.wait_for_selector("#part-actions")
    touch(desk, [[(x + 6 * k, y + k) for k in range(9)]])
    desk.once("realedit.doc.now.edits[0]?.d[0] > 0.1")
    width = desk.known("realedit.stage.frame[2]")
    assert desk.edits()[0]["d"][0] == pytest.approx(48 / width, abs=0.02)
    x, y = x + 48, y + 8
    touch(desk, [[(x - 10 - k, y) for k in range(8)], [(x + 10 + k, y) for k in range(8)]])  # on the thing: its size
    desk.once("realedit.doc.now.edits[0].scale > 1.3")
    assert desk.known("realedit.stage.zoom") == 1
    x, y = desk.at((0.85, 0.2))
    touch(desk, [[(x - 10 - k, y) for k in range(8)], [(x + 10 + k, y) for k in range(8)]])  # beside it: the view's
    desk.once("realedit.stage.zoom > 1.3")
    assert desk.known("document.documentElement.scrollWidth") <= 390


def test_it_is_accessible_at_every_width(opened, plain, unasked):
    from axe_playwright_python.sync_playwright import Axe

    axe, desk = Axe(), opened()

    def check(*looks: tuple[str, int]) -> None:
        for scheme, width in looks:
            desk.page.emulate_media(color_scheme=scheme)
            desk.page.set_viewport_size({"width": width, "height": 844})
            found = axe.run(desk.page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert [(each["id"], [n["html"] for n in each["nodes"]]) for each in serious] == [], (scheme, width)
            assert desk.known("document.documentElement.scrollWidth") <= width

    every = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 768, 390)]
    check(*every)
    desk.put(plain)
    desk.select()
    desk.page.click("#do-restyle")
    desk.page.click("#more-ways")
    desk.page.click("#options")
    check(*every)
    desk.page.click("#do-redraw")
    desk.page.click("#whole-more")
    check(("light", 1280), ("dark", 390))


@pytest.mark.slow
def test_words_that_the_model_knows_and_early_pictures(opened):
    """A minute of sampling and more: what the model sees is offered, found, moved, seen early, made again sooner."""
    desk = opened()
    desk.page.set_default_timeout(120_000)
    desk.put(Path(__file__).parent.parent / "samples" / "photos" / "03.png")
    desk.page.click("#options")
    desk.page.fill("#option-steps", "8")
    desk.page.fill("#option-prompt", "a spotted blue egg next to a black vase on a wooden table")
    desk.page.click("#look")
    desk.page.get_by_role("button", name="black vase", exact=True).click()
    desk.page.wait_for_selector("#part-actions")
    desk.page.fill("#move-x", "-20")
    desk.page.keyboard.press("Tab")
    desk.page.click("#do-restyle")
    desk.page.fill("#restyle-as", "green vase")
    desk.page.keyboard.press("Enter")
    desk.page.click("#make")
    seen = until(lambda: desk.known("realedit.server.job.previews > 1 && realedit.server.job.previews"), 120)
    assert seen > 1
    assert desk.known("realedit.stage.image !== realedit.view")
    desk.page.wait_for_selector("#keep")
    assert desk.known("realedit.server.job.previews") >= 3
    assert desk.known("realedit.stagedResult().command").startswith("realedit edit 03.png --recipe")
    desk.page.click("#discard")
    desk.page.click("#make")
    desk.page.wait_for_selector("#keep")
    details = dict(desk.known("realedit.server.results.at(-1).details"))
    assert "inversion from the cache" in details["cost"]
