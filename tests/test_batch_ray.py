"""Batches by actors of Ray, started once on this machine."""

import json
import os
import signal
from pathlib import Path

import pytest

from inversion.errors import RealEditError
from realedit.batch.engine import Engine
from realedit.batch.job_list import JobList, Naming
from realedit.batch.row_recipe import RecipeReader
from realedit.batch.rows import Row
from realedit.commands.edit_work import EditWork
from realedit.files.writing import save_mask
from realedit.settings import ModelChoice
from tests.batch_stub import StubWork, job
from tests.plain_scene import DISC
from tests.test_cli import run

ray = pytest.importorskip("ray", reason="Ray is not installed")
ROOT = Path(__file__).parent.parent

from realedit.batch.ray_workers import RayWorkers  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """With a GPU that is none, so that shares of it are given out."""
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {"env_vars": {"PYTHONPATH": paths}}
    ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    yield
    ray.shutdown()


def engine(folder: Path, count: int | None = 2, gpus: float | None = None, **options) -> Engine:
    return Engine(RayWorkers(StubWork(folder, str(folder), **options), count, gpus), time_limit=20)


def test_what_dies_or_is_killed_takes_one_job_with_it(tmp_path):
    hired = engine(tmp_path)
    try:
        names = ["a", "deadly", "b", *map(str, range(20))]
        ended = {each.job.id: each for each in hired.run((job(name) for name in names), len(names))}
        assert set(ended) == set(names)
        assert [name for name, each in ended.items() if each.lost] == ["deadly"]
        pid = ended["a"].answer.values["pid"]
        alive = {each.answer.values["pid"] for each in ended.values() if each.answer}
        killed = max(alive - {pid}, default=pid)
        os.kill(killed, signal.SIGKILL)
        again = list(hired.run((job(f"n{k}") for k in range(20)), 20))
        assert len(again) == 20
        assert sum(each.lost is not None for each in again) <= 1
        assert killed not in {each.answer.values["pid"] for each in again if each.answer}
    finally:
        hired.close()


def test_a_hang_ends_at_the_time_limit(tmp_path):
    hired = engine(tmp_path, 1)
    hired.time_limit = 1
    try:
        lost = [each.lost for each in hired.run(map(job, ["hanging", "a"]), 2)]
        assert lost == ["took longer than 1 s", None]
    finally:
        hired.close()


def test_shares_of_a_gpu_and_models_that_cannot_be_had(tmp_path):
    assert RayWorkers(StubWork(tmp_path, ""), None, 0.25).most == 4
    with pytest.raises(RealEditError, match="Ray has 1 GPUs, a worker takes 2"):
        RayWorkers(StubWork(tmp_path, ""), None, 2)
    hired = engine(tmp_path, 1, 0.5, missing_model=True)
    with pytest.raises(RealEditError, match="stub cannot be had"):
        list(hired.run(map(job, "a"), 1))
    hired.close()


def test_a_file_of_an_actor_is_that_of_the_command(plain, folders, tmp_path):
    folder = plain.parent
    save_mask(DISC, folder / "plain-mask.png")
    values = {"photo": "plain.png", "kind": "restyle", "object": "disc", "as": "red disc"}
    found = JobList.of([Row(1, values)], RecipeReader(folder), Naming("{stem}-mask.png"))
    model = str(folders["epsilon"])
    work = EditWork(folder, str(tmp_path / "out"), ModelChoice(model=model, device="cpu"))
    hired = Engine(RayWorkers(work, 1))
    (ended,) = hired.run(iter(found.jobs), 1)
    hired.close()
    assert ended.answer.error is None
    restyle = ["restyle", plain, "disc", "--as", "red disc", "--mask", folder / "plain-mask.png", "--model", model]
    run(*restyle, "-o", tmp_path / "one.png", "-q", "--device", "cpu")
    assert (tmp_path / "out" / "plain.png").read_bytes() == (tmp_path / "one.png").read_bytes()


def test_rows_of_ray_data_come_out_in_order_with_what_came_of_them(tmp_path):
    pytest.importorskip("pandas", reason="Ray Data needs pandas")
    from realedit.batch.ray_data import map_batches_udf

    for name in ("a.png", "bad.png"):
        (tmp_path / name).touch()
    rows = [{"photo": name, "kind": "remove", "object": "x", "seed": 1.0} for name in ("a.png", "bad.png", "none.png")]
    rows[1]["seed"] = None
    batches = map_batches_udf(StubWork(tmp_path, str(tmp_path)), tmp_path)
    found = ray.data.from_items(rows).map_batches(batches, batch_size=2, concurrency=1).take_all()
    assert [row["error"] for row in found] == ["", "the photo is bad", "the photo none.png does not exist"]
    assert [row["output"] for row in found] == ["a.png", "bad.png", ""]
    assert json.loads(found[0]["values"])["pid"] != os.getpid()
