"""The built wheel: it holds the checkpoint and the photos, and works away from the checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_page_is_in_the_wheel(wheel):
    static = ROOT / "realedit" / "page" / "static"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("realedit/page/static/")}
    assert held == {f"realedit/page/static/{path.name}" for path in static.iterdir()}


@pytest.mark.slow
def test_installed_copy_edits_a_photo(wheel, tmp_path):
    target, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    code = "import inversion, realedit; print(inversion.__file__)"
    found = subprocess.run([sys.executable, "-c", code], env=environment, cwd=here, capture_output=True, text=True)
    assert Path(found.stdout.strip()).is_relative_to(target)
    demo = [sys.executable, "-m", "realedit.cli", "demo", "--steps", "3", "--method", "ddim", "-q"]
    subprocess.run(demo, check=True, env=environment, cwd=here)
    assert {p.name for p in (here / "realedit-demo").iterdir()} == {"after.png", "before-after.png", "report.json"}


@pytest.mark.slow
def test_wheel_in_an_empty_environment(wheel, tmp_path):
    """Minutes: installs every dependency from the registry, and nothing that only developers have."""
    venv.create(tmp_path / "env", with_pip=True)
    bin_dir = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([bin_dir / "pip", "install", "-q", str(wheel)], check=True)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run([bin_dir / "realedit", "demo"], check=True, cwd=tmp_path, env=environment)
    assert (tmp_path / "realedit-demo" / "before-after.png").stat().st_size > 10_000
