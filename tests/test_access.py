"""Which files are read, and what their names are to the system and in texts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from inversion.errors import EditError, PhotoError
from realedit.files.access import as_text, decoded, is_file, native, read_file, shown_name
from realedit.files.reading import load_photo
from realedit.files.recipe import read_recipe
from realedit.files.sidecar import read_sidecar
from tests.test_cli import ROOT

NOT_UTF8 = os.fsdecode(b"caf\xe9.png")


def fifo(path: Path) -> str:
    os.mkfifo(path)
    return "a named pipe"


def unix_socket(path: Path) -> str:
    os.chdir(path.parent)  # the name of a socket may be no longer than 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    return "a socket"


def device(path: Path) -> str:
    os.symlink("/dev/zero", path)
    return "a device"


ENDLESS = {"a pipe": fifo, "a socket": unix_socket, "a device": device}


@pytest.mark.skipif(os.name != "posix", reason="no such files")
@pytest.mark.parametrize("name", ENDLESS)
def test_what_may_have_no_end_is_not_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.png"
    said = ENDLESS[name](path)
    with pytest.raises(PhotoError, match=f"a.png cannot be read: it is {said}, not a regular file"):
        load_photo(path)
    with pytest.raises(EditError, match=f"cannot be read as a recipe: it is {said}"):
        read_recipe(path)
    path.rename(tmp_path / "b.png.realedit.json")
    with pytest.raises(EditError, match=f"not a whole sidecar .it is {said}"):
        read_sidecar(tmp_path / "b.png")
    assert not is_file(tmp_path / "b.png.realedit.json")


def test_a_file_is_read_up_to_its_bound(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2**20)
    assert len(read_file(path, 2**20)) == 2**20
    path.write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(OSError, match="it holds more than 1 MiB"):
        read_file(path, 2**20)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\ud800.png"])
def test_names_that_no_file_can_have(name):
    assert not is_file(Path(name))
    with pytest.raises(OSError, match=r".+"):
        read_file(Path(name))


def test_names_as_text_and_back():
    assert native("café.png") == "café.png"
    assert as_text("café") == "café"
    assert as_text("caf\udcc3\udca9") == "café"  # as the locale C hands it over
    assert shown_name(NOT_UTF8) == "caf\\xe9.png"
    with pytest.raises(UnicodeDecodeError):
        as_text(NOT_UTF8)


def test_texts_of_files():
    for coding in ("utf-8", "utf-8-sig", "utf-16"):
        assert decoded("é = 1".encode(coding)) == "é = 1"
    with pytest.raises(UnicodeDecodeError):
        decoded(b"caf\xe9")


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_recipes_with_a_mark_at_their_head(tmp_path, coding):
    path = tmp_path / "edits.toml"
    path.write_bytes('edit = [{ kind = "remove", object = "vase" }]'.encode(coding))
    assert read_recipe(path).objects == ("vase",)


C_LOCALE = """
import sys
from realedit.cli import main
main(sys.argv[1:])
"""


def in_c_locale(*args: str | bytes) -> subprocess.CompletedProcess[str]:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", C_LOCALE, *args]
    return subprocess.run(command, env=os.environ | plain, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.skipif(os.name != "posix", reason="names are text there")
def test_names_and_words_in_the_locale_c(tmp_path):
    """Found as they are, and printed as far as can be."""
    photo = tmp_path / "é.png"
    photo.write_bytes((ROOT / "samples" / "photos" / "03.png").read_bytes())
    done = in_c_locale("remove", str(photo), "pâte", "--prompt", "une pâte, une pâte")
    assert done.returncode == 2
    assert "occurs 2 times" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "edits.toml").write_text(
        'edit = [{ kind = "remove", object = "é" }]\n[where."é"]\nmask = "é.png"\n', encoding="utf-8"
    )
    done = in_c_locale("edit", str(photo), "--recipe", str(tmp_path / "edits.toml"), "-o", str(photo))
    assert "is the input" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the system takes no such name")
def test_a_photo_whose_name_is_not_utf8(tmp_path):
    photo = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(photo)).write_bytes((ROOT / "samples" / "photos" / "03.png").read_bytes())
    done = subprocess.run([sys.executable, "-m", "realedit.cli", "objects", photo], capture_output=True, cwd=ROOT)
    assert done.returncode == 2
    assert rb"no prompt for caf\xe9.png" in done.stderr
