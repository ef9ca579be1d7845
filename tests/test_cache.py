"""The cache of references: bounded, swept, and shared by several processes."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from inversion.errors import Notice, RealEditError
from inversion.reference import Header, Reference
from inversion.text import Embedding
from realedit.sampling import cache


def put(key: str, size: int, age: float = 0.0) -> Path:
    path = cache.path_of(key)
    cache.keep(path, lambda p: p.write_bytes(b"x" * size) and None)
    if path.exists():
        os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.mark.parametrize(
    ("given", "bytes"), [("0", 0), ("500", 500), ("1.5k", 1500), ("20M", 20_000_000), ("4GB", 4_000_000_000)]
)
def test_sizes_are_read(monkeypatch, given, bytes):
    monkeypatch.setenv("REALEDIT_CACHE_SIZE", given)
    assert cache.limit() == bytes


def test_a_size_that_is_none_is_said(monkeypatch):
    monkeypatch.setenv("REALEDIT_CACHE_SIZE", "lots")
    with pytest.raises(RealEditError, match="give a size such as 500M"):
        cache.limit()


def test_what_was_used_longest_ago_goes_first(monkeypatch):
    monkeypatch.setenv("REALEDIT_CACHE_SIZE", "1000")
    old, older = put("old", 400, 60), put("older", 400, 120)
    cache.used(older)  # read again a moment ago
    new = put("new", 400)
    assert not old.exists()
    assert older.exists()
    assert new.exists()
    assert [e.path for e in cache.entries()] == [new, older] or [e.path for e in cache.entries()] == [older, new]


def test_nothing_is_kept_without_room(monkeypatch):
    monkeypatch.setenv("REALEDIT_CACHE_SIZE", "0")
    assert not put("a", 10).exists()


def test_what_a_killed_process_left_is_swept_up():
    put("a", 10)
    stale, fresh = cache.folder() / "b.part", cache.folder() / "c.part"
    for path, age in ((stale, 2 * cache.UNFINISHED_SECONDS), (fresh, 0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    cache.sweep()
    assert not stale.exists()
    assert fresh.exists()
    cache.clear()
    assert not fresh.exists()


def test_the_place_may_start_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REALEDIT_CACHE", "~/kept")
    assert cache.folder() == tmp_path / "kept"


REFERENCE = Reference(
    Header("model", "a ball", "ddim", (1,), 1.0), torch.zeros(2, 4, 2, 3), Embedding(torch.zeros(1, 3, 4)), {}, {}
)


def test_who_shares_the_folder_may_read_what_is_kept():
    mask = os.umask(0o027)
    try:
        cache.keep(cache.path_of("a"), REFERENCE.save)
    finally:
        os.umask(mask)
    assert {path.name: path.stat().st_mode & 0o777 for path in cache.folder().iterdir()} == {
        "a.safetensors": 0o640,
        ".lock": 0o640,
    }


def full(path: Path) -> None:
    raise OSError(28, "No space left on device")


def test_what_cannot_be_kept_is_said_and_nothing_else():
    with pytest.warns(Notice, match="is not kept in .*: No space left on device; REALEDIT_CACHE moves it"):
        cache.keep(cache.path_of("a"), full)
    assert cache.load("a", Path.read_bytes) is None


def test_a_full_disk_is_an_error_of_the_system(tmp_path):
    """Which `keep` takes for one, whatever safetensors calls it."""
    import resource

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            REFERENCE.save(tmp_path / "a")
        except OSError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert not list(tmp_path.glob("a*"))


def test_what_cannot_be_read_is_made_again():
    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    path = put("a", 10)
    assert cache.load("a", Path.read_bytes) == b"x" * 10
    with pytest.warns(Notice, match="cannot be read, and is made again"):
        assert cache.load("a", closed) is None
    assert path.exists()  # it is somebody else's
    load = functools.partial(Reference.load, wanted=REFERENCE.header)
    assert cache.load("a", load) is None
    assert not path.exists()  # it was none


MANY = """
import sys
from realedit.sampling import cache
for i in range(40):
    path = cache.path_of(f"{sys.argv[1]}-{i}")
    part = path.with_suffix(".part")
    def save(p):
        part.write_bytes(b"x" * 1000)
        part.replace(p)
    cache.keep(path, save)
    for entry in cache.entries():
        try:
            assert len(entry.path.read_bytes()) == 1000
        except FileNotFoundError:
            pass
"""


def test_several_processes_share_it_within_its_bound():
    env = {**os.environ, "REALEDIT_CACHE_SIZE": "5000"}
    running = [subprocess.Popen([sys.executable, "-c", MANY, str(k)], env=env) for k in range(4)]
    assert [p.wait(timeout=120) for p in running] == [0] * 4
    assert 1 <= len(cache.entries()) <= 5
