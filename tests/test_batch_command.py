"""Batches of real edits: the same files as single commands make, and what is said of them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.batch.job_list import JobList, Naming
from realedit.batch.row_recipe import RecipeReader
from realedit.batch.rows import Row
from realedit.commands.batch_options import ListOptions, RunFlags
from realedit.commands.batch_run import listed_jobs
from realedit.commands.edit_work import EditWork, EditWorker
from realedit.commands.output_options import Acceptance, FileOptions
from realedit.files.sidecar import file_hash
from realedit.files.writing import save_mask
from tests.plain_scene import DISC
from tests.test_cli import error_line, run


@pytest.fixture
def shop(plain) -> Path:
    """Two photos of one thing with its mask beside, as PNG and as JPEG with metadata, and a broken one."""
    folder = plain.parent
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    picture = Image.open(plain)
    picture.save(folder / "shot.jpg", quality=91, exif=exif)
    picture.save(plain)  # as a camera would, without a mark
    (folder / "broken.jpg").write_bytes((folder / "shot.jpg").read_bytes()[:700])
    for name in ("plain", "shot", "broken"):
        save_mask(DISC, folder / f"{name}-mask.png")
    return folder


def without_seconds(sidecar: Path) -> str:
    """A sidecar, but for how long its edit took."""
    return re.sub(r'seconds": [\d.]+', "", sidecar.read_text())


def test_files_are_those_of_single_commands(shop, folders, tmp_path):
    """Of one row with all that it may say, and of a photo that is broken."""
    (shop / "jobs.csv").write_text(
        'photo,kind,object,by,seed,fill\nbroken.jpg,remove,disc,,,\nshot.jpg,move,disc,"0.3,0.1",4,photo\n'
    )
    out, single = tmp_path / "out", tmp_path / "single"
    single.mkdir()
    model = ["--model", folders["epsilon"], "--offline", "--device", "cpu"]
    args = ["--out-dir", out, "--mask-pattern", "{stem}-mask.png", *model]
    result = run("batch", shop / "jobs.csv", *args, "--workers", 1, "--json", code=1)
    assert json.loads(result.stdout) == {"done": 1, "failed": 1, "left": 0, "before": 0}
    said = result.stderr.splitlines()
    assert "broken.jpg cannot be read as a photo" in said[-2]
    assert said[-1] == "realedit: 1 of 2 photos failed, 1 are done"
    more = ["--seed", 4, "--fill", "photo", "-q", *model, "--mask", shop / "shot-mask.png"]
    run("move", shop / "shot.jpg", "disc", "--by", "0.3,0.1", "-o", single / "shot.jpg", *more)
    assert (out / "shot.jpg").read_bytes() == (single / "shot.jpg").read_bytes()
    sidecars = (folder / "shot.jpg.realedit.json" for folder in (out, single))
    assert len(set(map(without_seconds, sidecars))) == 1
    assert sorted(p.name for p in out.iterdir() if not p.name.endswith(".json")) == [
        ".batch.lock",
        "batch.jsonl",
        "shot.jpg",
    ]
    assert run("batch", "status", out).stdout.startswith("1 of 2 done, 1 failed, 0 begun, 0 to do")
    run("batch", "report", out, "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "broken.jpg" in page


def test_a_folder_is_a_list_without_its_masks(shop):
    (shop / "jobs.toml").write_text('edit = [{ kind = "remove", object = "disc" }]\n')
    (shop / "sub").mkdir()
    for name in ("plain.png", "plain-mask.png"):
        shutil.copy(shop / name, shop / "sub" / name)
    listed = ListOptions(shop / "jobs.toml", "{stem}-mask.png")
    found = listed_jobs(shop, listed, FileOptions(format="webp"), RunFlags(shop / "out"))
    named = {job.photo: (job.output, job.files) for job in found.jobs}
    assert named == {
        "broken.jpg": ("broken.webp", ("broken-mask.png",)),
        "plain.png": ("plain.webp", ("plain-mask.png",)),
        "shot.jpg": ("shot.webp", ("shot-mask.png",)),
        "sub/plain.png": ("sub/plain.webp", ("sub/plain-mask.png",)),
    }


def test_wrong_lists_are_refused_as_a_whole(shop, tmp_path):
    (shop / "jobs.csv").write_text(
        "photo,kind,object\nplain.png,remove,disc\nnone.png,remove,disc\nplain.png,bend,disc\n"
    )
    result = run("batch", shop / "jobs.csv", "--out-dir", tmp_path / "out", code=2)
    said = result.stderr.splitlines()
    assert said[0] == "realedit: line 3: the photo none.png does not exist"
    assert said[1].startswith("realedit: line 4: Input tag 'bend'")
    assert said[2].startswith("realedit: 2 of the job list's rows are wrong")
    assert not (tmp_path / "out").exists()
    line = error_line(run("batch", shop / "none.csv", "--out-dir", tmp_path / "out", code=2))
    assert "none.csv cannot be read as a job list" in line
    assert "batch.jsonl" in error_line(run("batch", "report", shop, "-o", tmp_path / "r.html", code=2))


def test_the_schema_is_printed():
    assert json.loads(run("batch", "schema").stdout)["required"] == ["photo"]


@pytest.fixture
def worker(tabletop, shop, tmp_path):
    """A worker in this process, whose results go to a folder, or to a URL."""

    def hired(results: str, **options) -> EditWorker:
        from realedit.commands.context import RunOptions
        from realedit.settings import ModelChoice

        work = EditWork(shop, results, ModelChoice(device="cpu"), **options)
        shared = RunOptions(work.which, None, "fixed-point", 25, 0, quiet=True)
        vars(shared)["model"] = tabletop
        return EditWorker(work, shared)

    return hired


def listed(shop: Path, **values) -> JobList:
    row = Row(1, {"kind": "restyle", "object": "disc", "as": "red disc", **values})
    return JobList.of([row], RecipeReader(shop), Naming("{stem}-mask.png"))


def test_shared_storage_is_read_and_written_by_urls(worker, shop, tmp_path):
    pytest.importorskip("fsspec")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    for name in ("plain.png", "plain-mask.png"):
        shutil.copy(shop / name, bucket / name)
    (job,) = listed(shop, photo=f"file://{bucket}/plain.png", output="sub/gone.png").jobs
    assert job.files == (f"file://{bucket}/plain-mask.png",)
    outcome = worker(f"file://{bucket}/done")(job)
    assert outcome.error is None
    there = bucket / "done" / "sub" / "gone.png"
    assert file_hash(there) == outcome.values["result"]
    sidecar = json.loads((there.parent / "gone.png.realedit.json").read_text())
    assert (sidecar["photo"], sidecar["recipe"]["where"]["disc"]["mask"]) == ("../../plain.png", "../../plain-mask.png")
    (missing,) = listed(shop, photo=f"file://{bucket}/none.png").jobs
    assert "none.png cannot be fetched" in worker(str(tmp_path))(missing).error


def test_failures_are_said_in_one_line_and_whether_another_attempt_may_help(worker, shop, tmp_path, monkeypatch):
    here = worker(str(tmp_path / "out"), accept=Acceptance(strict=True))
    (job,) = listed(shop, photo="shot.jpg").jobs
    outcome = here(job)
    assert outcome.error.startswith("--strict: no energy was measured")
    assert (outcome.again, outcome.hopeless) == (False, False)
    assert (tmp_path / "out" / "shot.jpg").exists()
    (broken,) = listed(shop, photo="broken.jpg").jobs
    assert not here(broken).again
    assert np.isfinite(outcome.values["outside"]["ssim"])

    def raising(error: Exception):
        monkeypatch.setattr("realedit.commands.edit_job.write_edit", lambda *args: (_ for _ in ()).throw(error))
        found = here(job)
        return found.error, found.again, found.hopeless

    assert raising(MemoryError()) == ("out of memory", True, False)
    assert raising(RuntimeError("CUDA out of memory. Tried")) == ("out of memory", True, False)
    assert raising(ZeroDivisionError("a bug")) == ("ZeroDivisionError: a bug", False, False)
    assert raising(OSError(28, "No space left on device"))[2]
    assert raising(OSError(5, "Input/output error"))[1:] == (True, False)
    assert not raising(FileNotFoundError(2, "gone"))[1]
