"""Batches of work that takes milliseconds: who is killed or hangs, what is kept of it, and what a later run does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from inversion.errors import EditError, ModelError, OutputError, RealEditError
from realedit.batch.engine import Answer, Engine, Ready, Unable
from realedit.batch.job import Job, content_hash, stamp
from realedit.batch.job_list import JobList
from realedit.batch.local_workers import LocalWorkers
from realedit.batch.manifest import DONE, MANIFEST, STARTED, History, Manifest, locked, rows_of
from realedit.batch.outcome import Outcome
from realedit.batch.page import results_of
from realedit.batch.plan import Place, Plan, Why
from realedit.batch.run import Attempts, Progress, run
from realedit.batch.status import Status
from realedit.commands.batch_options import EngineOptions, RunFlags
from realedit.commands.batch_progress import line_of
from realedit.commands.batch_run import run_listed
from tests.batch_stub import StubWork, job

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def start(folder: Path, count: int, seconds: float, *words: str) -> subprocess.Popen:
    """A run of stub jobs in a process of its own."""
    command = [sys.executable, "-m", "tests.batch_stub", str(folder), str(count), str(seconds), *words]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def done_rows(folder: Path) -> Counter:
    """How often each job was done, by the manifest."""
    return Counter(row["id"] for row in rows_of(folder) if row["state"] == DONE)


def wait_for(folder: Path, count: int) -> None:
    """Wait until so many jobs are done."""
    until = time.monotonic() + 60
    while len(done_rows(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.02)


def listed(folder: Path, *names: str) -> JobList:
    return JobList(folder, [job(name, line) for line, name in enumerate(names, 2)])


def do(found: JobList, folder: Path, *, resume: bool = False, retries: int = 2, limit: float = 30, **work) -> None:
    """Run jobs as the command does."""
    flags = RunFlags(folder, resume=resume, quiet=True)
    hired = EngineOptions(workers=2, time_limit=limit, retries=retries)
    run_listed(found, StubWork(folder, str(folder), **work), hired, flags)


def test_what_is_killed_hangs_or_is_bad_stops_nothing_else(folder, capsys):
    names = ["a", "deadly", "b", "hanging", "bad", "once", "c"]
    with pytest.raises(RealEditError, match="3 of 7 photos failed, 4 are done"):
        do(listed(folder, *names), folder, retries=1, limit=1.5)
    assert done_rows(folder) == dict.fromkeys(("a", "b", "c", "once"), 1)
    tries = {name: len((folder / f"{name}.png.tries").read_text()) for name in ("deadly", "hanging", "once")}
    assert tries == {"deadly": 2, "hanging": 2, "once": 2}
    errors = {row["id"]: row["error"] for row in rows_of(folder) if row["state"] == "failed"}
    assert "killed (SIGKILL)" in errors["deadly"]
    assert errors["hanging"] == "took longer than 1.5 s"
    assert "bad: the photo is bad" in capsys.readouterr().err
    status = Status.of(folder)
    assert (status.count, status.done, status.failed, status.in_hand) == (7, 4, 3, 0)
    assert set(status.failures) == {"deadly", "hanging", "bad"}


def test_a_run_that_is_killed_goes_on_where_it_was(folder):
    first = start(folder, 60, 0.03, "-q")
    wait_for(folder, 15)
    workers = psutil.Process(first.pid).children()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    with (folder / MANIFEST).open("ab") as file:
        file.write(b'{"state": "done", "id": "0000')  # as a kill in the middle of a row would leave it
    before = done_rows(folder)
    assert 15 <= len(before) < 60
    (folder / ".realedit-part").touch()
    second = start(folder, 60, 0.03, "--resume")
    said = second.communicate(timeout=60)[1]
    assert second.returncode == 0, said
    assert f"{len(before)} of 60 are done already" in said
    assert done_rows(folder) == {f"{k:06}": 1 for k in range(60)}
    assert len(list(folder.glob("*.png"))) == 60
    assert not (folder / ".realedit-part").exists()


def test_an_interrupted_run_finishes_what_is_in_hand_and_a_second_one_stops_at_once(folder):
    first = start(folder, 300, 0.3)
    wait_for(folder, 2)
    os.kill(first.pid, signal.SIGINT)
    said = first.communicate(timeout=30)[1]
    assert first.returncode != 0
    assert "finishing the photos in hand" in said
    assert "--resume" in said
    states = Counter(row["state"] for row in rows_of(folder))
    assert states[STARTED] == states[DONE]
    second = start(folder, 300, 30, "--resume")
    until = time.monotonic() + 30
    while Counter(row["state"] for row in rows_of(folder))[STARTED] == states[STARTED]:
        assert time.monotonic() < until
        time.sleep(0.05)
    began = time.monotonic()
    os.kill(second.pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(second.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in second.communicate(timeout=20)[1]  # which the program turns into exit code 130
    assert time.monotonic() - began < 5


def test_two_runs_in_one_folder_are_refused(folder):
    with locked(folder), pytest.raises(OutputError, match="another batch is at work"):
        do(listed(folder, "a"), folder)
    do(listed(folder, "a"), folder)
    with pytest.raises(RealEditError, match="go on with --resume"):
        do(listed(folder, "a"), folder)
    do(listed(folder, "a"), folder, resume=True)
    assert done_rows(folder) == {"a": 1}


def test_a_file_that_no_run_began_is_not_replaced(folder, capsys):
    (folder / "b.png").write_text("mine")
    with pytest.raises(EditError, match="1 of the job list's rows are wrong"):
        do(listed(folder, "a", "b"), folder)
    assert "line 3:" in capsys.readouterr().err
    assert (folder / "b.png").read_text() == "mine"
    assert not list(rows_of(folder))


def test_a_model_that_cannot_be_had_ends_everything_at_once(folder):
    with pytest.raises(ModelError, match="stub cannot be had"):
        do(listed(folder, "a", "b"), folder, missing_model=True)
    assert [row["state"] for row in rows_of(folder)] == ["run"]


def test_a_full_disk_stops_the_run(folder, tmp_path):
    with pytest.raises(RealEditError, match=r"stopped, .*no space left.*--resume"):
        do(listed(folder, "full", *map(str, range(50))), folder)
    assert len(done_rows(folder)) < 50
    full = tmp_path / "full"
    full.mkdir()
    (full / MANIFEST).symlink_to("/dev/full")
    manifest = Manifest(full)
    with pytest.raises(OutputError, match=r"cannot write .*No space left"):
        manifest.add(DONE, {"id": "a"})


class Workers:
    """Workers that answer at once, of which so many have `room` and the others cannot start; jobs are noted."""

    def __init__(self, most: int = 1, room: int = 1) -> None:
        self.most, self.room, self.begun = most, room, 0
        self.handed: list = []
        self.answer = str.upper
        self.waiting: list = []

    def begin(self) -> int:
        self.begun += 1
        number = self.begun
        self.waiting.append(Ready(number) if number <= self.room else Unable(number, "out of memory", 1))
        return number

    def hand(self, worker: int, job: str) -> None:
        self.handed.append(job)
        self.waiting.append(Answer(worker, self.answer(job)))

    def events(self, seconds: float) -> list:
        happened, self.waiting = self.waiting, []
        return happened


def test_jobs_are_taken_one_by_one_as_workers_become_free():
    workers = Workers()
    taken = []

    def jobs():
        for name in "abcdef":
            taken.append(name)
            yield name

    results = Engine(workers).run(jobs(), 6)
    assert next(results).answer == "A"
    assert (taken, workers.handed) == (["a"], ["a"])
    assert [ended.answer for ended in results] == list("BCDEF")


def test_workers_that_find_no_room_beside_others_are_done_without():
    workers = Workers(most=3, room=1)
    assert [ended.answer for ended in Engine(workers).run(iter("abc"), 3)] == list("ABC")
    assert workers.begun == 3
    with pytest.raises(RealEditError, match="out of memory"):
        list(Engine(Workers(room=0)).run(iter("a"), 1))


def test_workers_that_never_start_are_given_up(folder):
    work = StubWork(folder, str(folder))
    local = LocalWorkers(work)
    local._pickled = b"no pickle"
    engine = Engine(local)
    with pytest.raises(RealEditError, match="UnpicklingError"):
        list(engine.run(iter("a"), 1))
    engine.close()


def test_the_plan_is_what_is_missing_failed_or_changed(folder, tmp_path):
    photo = tmp_path / "a.jpg"
    photo.write_text("pixels")
    base = Job("a", "a.jpg", "a.jpg", "{}", (), None, "", 1)
    place = Place(tmp_path, folder, "options")
    (folder / "a.jpg").touch()
    inputs = base.inputs(tmp_path)
    manifest = Manifest(folder)
    manifest.add(STARTED, {"id": "a", "output": "a.jpg"})
    hashes = {"recipe": base.recipe_hash("options"), "stamp": stamp(inputs), "input": content_hash(inputs)}
    manifest.add(DONE, {"id": "a", **hashes})
    manifest.add(STARTED, {"id": "b", "output": "b.jpg"})
    manifest.close()
    history = History.read(folder)

    def why(job: Job, where: Place = place) -> list[Why]:
        return [why for why, count in Plan.of([job], history, where).reasons.items() if count]

    assert why(base) == []
    assert why(replace(base, id="c")) == [Why.NEW]
    assert why(replace(base, id="b")) == [Why.UNFINISHED]
    assert why(replace(base, recipe='{"seed": 1}')) == why(base, replace(place, options="others")) == [Why.CHANGED]
    os.utime(photo, (1, 1))
    assert why(base) == []  # touched, and the same
    photo.with_suffix(".txt").write_text("a caption")
    assert why(base) == [Why.CHANGED]
    photo.with_suffix(".txt").unlink()
    photo.write_text("others")
    assert why(base) == [Why.CHANGED]
    photo.write_text("pixels")
    (folder / "a.jpg").unlink()
    assert why(base) == [Why.MISSING]


def test_a_damaged_manifest_is_said_with_its_line(folder):
    (folder / MANIFEST).write_text('{"state": "run"}\n{nonsense}\n{"state": "run"}\n')
    with pytest.raises(EditError, match=r"batch\.jsonl, line 2,"):
        History.read(folder)


def test_the_rest_is_estimated_by_the_last_rate(folder):
    rows = [{"state": "run", "time": 0, "count": 10}]
    rows += [{"state": "done", "time": 4 * k, "id": str(k), "recipe": "", "input": "", "stamp": ""} for k in (1, 2)]
    (folder / MANIFEST).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert Status.of(folder).seconds_left == 8 * 4
    with pytest.raises(EditError, match="give the --out-dir"):
        Status.of(folder / "none")


def test_how_far_a_run_is_in_a_line():
    assert line_of(Progress(100, done=18, failed=2), 60) == "20 of 100, 2 failed, 20 a minute, 4 min left"
    assert line_of(Progress(9), 5) == "0 of 9, 0 failed, 0.0 a minute"
    assert line_of(Progress(2, done=1), 7200) == "1 of 2, 0 failed, 0.0 a minute, 2.0 h left"


def test_the_worst_results_come_first(folder):
    manifest = Manifest(folder)
    for name, level, reasons, perceptual in (
        ("fine", "good", [], 0.0),
        ("one reason", "look at it", ["a"], 0.0),
        ("two reasons", "look at it", ["a", "b"], 0.0),
        ("rest changed", "look at it", ["a"], 0.2),
        ("kept", "failed", ["a"], None),
    ):
        verdict, outside = {"level": level, "reasons": reasons}, {"perceptual": perceptual}
        manifest.add(DONE, {"id": name, "recipe": "", "verdict": verdict, "outside": outside})
    manifest.add("failed", {"id": "lost"})
    done, failed, _ = results_of(folder)
    assert [each.row["id"] for each in done] == ["kept", "rest changed", "two reasons", "one reason", "fine"]
    assert [each.row["id"] for each in failed] == ["lost"]


def test_what_failed_for_want_of_memory_is_tried_again_by_fewer(folder):
    """The number of jobs in hand, as their rows in the manifest begin and end."""
    manifest, workers = Manifest(folder), Workers(most=2, room=2)
    workers.answer = lambda job: Outcome("out of memory", again=True)
    jobs = [job(f"{k}") for k in range(4)]
    run(Engine(workers), jobs, manifest, Attempts("", retries=1), Progress(4), lambda progress: None)
    in_hand, most = 0, {1: 0, 2: 0}
    for row in rows_of(folder):
        if row["state"] != "run":
            in_hand += 1 if row["state"] == STARTED else -1
            most[row["attempt"]] = max(most[row["attempt"]], in_hand)
    assert most == {1: 2, 2: 1}
