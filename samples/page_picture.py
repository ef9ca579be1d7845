"""The picture of the page in the README: a cup is dragged. Made by `python -m samples.page_picture samples/page.jpg`,
with Chromium and `pip install "realedit[test]"`."""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage import data

SIZE = (1100, 640)  # of the window, in pixels
BOX = ((0.09, 0.02), (0.86, 0.99))  # around the cup
SHIFT = (0.12, 0.03)  # by which it is dragged
PATIENCE = 120_000  # ms, with the model still to be loaded


def main(output: Path) -> None:
    """Serve the page, drag the cup, and write what is seen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        photo = Path(folder) / "coffee.jpg"
        Image.fromarray(data.coffee()).save(photo, quality=95)
        command = [sys.executable, "-m", "realedit.cli", "ui", str(photo), "--no-browser", "--offline"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            page.set_default_timeout(PATIENCE)
            page.goto(address)
            seen = _dragged(page)
        finally:
            server.terminate()
            server.wait()
    Image.open(io.BytesIO(seen)).convert("RGB").save(output, quality=88)


def _dragged(page: Page) -> bytes:
    page.wait_for_selector("#model[data-state=done]")
    page.wait_for_selector("#part-begin")
    _drag(page, *BOX)
    page.wait_for_selector("#part-actions")
    page.fill("#thing-name", "cup")
    middle = (0.42, 0.45)
    _drag(page, middle, (middle[0] + SHIFT[0], middle[1] + SHIFT[1]))
    page.wait_for_selector("#make:not([disabled])")
    page.mouse.move(5, 5)
    return page.screenshot()


def _drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = page.locator("#stage").bounding_box()
    assert box is not None
    places = [page.evaluate("point => realedit.stage.toScreen(point)", point) for point in (start, end)]
    (x, y), there = ((box["x"] + across, box["y"] + down) for across, down in places)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*there, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
