"""README is executed: its Python, its commands' names and options, its two main commands."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from realedit.cli import main

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def command_after(name: str) -> str:
    """The command line under a `<!-- command: name -->` mark, as the check script reads it."""
    match = re.search(rf"<!-- command: {name} -->\n```\n(.*?)\n```", TEXT, re.DOTALL)
    assert match is not None, name
    return match[1]


def test_python_example_runs_as_written(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "samples").symlink_to(ROOT / "samples", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "moved.png").stat().st_size > 5_000
    assert "identical pixels" in capsys.readouterr().out


def test_python_example_is_short():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len([line for line in code.splitlines() if line and not line.startswith(("from", "import"))]) <= 10


@pytest.mark.parametrize("line", re.findall(r"^    (realedit [^#\n]+)", TEXT, re.MULTILINE))
def test_listed_commands_and_options_exist(line):
    words = line.split()
    help_text = CliRunner().invoke(main, [words[1], "--help"])
    assert help_text.exit_code == 0
    for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", line):
        assert option in help_text.stdout


def test_main_commands_do_all_their_set_up():
    for name in ("demo", "tests"):
        assert command_after(name).startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert "realedit demo" in command_after("demo")
    assert "pytest" in command_after("tests")


def test_pictures_are_there():
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", TEXT):
        assert (ROOT / picture).is_file(), picture
