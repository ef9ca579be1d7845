"""Batches: what each engine costs beside the edits, and whether everything is done once whatever is killed.

python -m tests.benchmarks.batch [overhead|rows|workers|faults]... [--rows N] [--edits N] [--json FILE]
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import click
import numpy as np
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from inversion.errors import RealEditError
from realedit.batch.manifest import DONE, FAILED, STARTED, rows_of
from realedit.commands.batch_options import EngineOptions, ListOptions, RunFlags
from realedit.commands.batch_run import listed_jobs, run_listed
from realedit.commands.output_options import FileOptions
from tests.batch_stub import StubWork
from tests.plain_scene import DISC, scene

ROOT = Path(__file__).parent.parent.parent
STUB_SECONDS = 0.005  # of work that does nothing else
BROKEN = 20  # one photo of so many is cut off
OVERHEAD_JOBS = {"local": 2000, "ray": 2000}
Numbers = dict[str, float]


def write_list(folder: Path, count: int) -> Path:
    """A list of so many jobs, all of one photo."""
    (folder / "photo.png").touch()
    lines = (f"photo.png,remove,thing,{k % 100:02}/{k:06}.png" for k in range(count))
    (folder / "jobs.csv").write_text("photo,kind,object,output\n" + "\n".join(lines))
    return folder / "jobs.csv"


def drive(jobs: Path, out: Path, seconds: float, engine: str, workers: int, resume: bool) -> None:
    """A whole batch of stub work, as the command does it."""
    flags = RunFlags(out, resume=resume, quiet=True)
    found = listed_jobs(jobs, ListOptions(), FileOptions(), flags)
    for part in {(out / job.output).parent for job in found.jobs}:
        part.mkdir(parents=True, exist_ok=True)
    work = StubWork(jobs.parent, str(out), seconds)
    run_listed(found, work, EngineOptions(engine, workers), flags)  # type: ignore[arg-type]


def driver(*arguments: object) -> BaseProcess:
    """`drive` in a process of its own, whose workers are its children."""
    process = multiprocessing.get_context("spawn").Process(target=drive, args=arguments)
    process.start()
    return process


def states(out: Path) -> Counter:
    return Counter(row["state"] for row in rows_of(out))


def times(out: Path, *wanted: str) -> list[float]:
    return [row["time"] for row in rows_of(out) if row["state"] in wanted]


def watched(process: BaseProcess, until: Callable[[], bool]) -> float:
    """Peak memory of a process in MB, watched until it ends or something holds."""
    peak = 0.0
    while process.is_alive() and not until():
        time.sleep(0.5)
        try:
            text = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        peak = max([peak, *(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM"))])
    return peak


def measure_overhead(engine: str) -> Numbers:
    """Seconds per job beside the job's own, with one worker; manifest and all."""
    count = OVERHEAD_JOBS[engine]
    with tempfile.TemporaryDirectory() as folder:
        jobs, out = write_list(Path(folder), count), Path(folder, "out")
        began = time.time()
        process = driver(jobs, out, STUB_SECONDS, engine, 1, False)
        process.join()
        (first, *_, last) = times(out, STARTED, DONE)
    per_job = (last - first) / count
    return {"overhead_ms": (per_job - STUB_SECONDS) * 1000, "start_s": first - began}


def measure_rows(count: int) -> Numbers:
    """A long list with a kill of the driver at half."""
    with tempfile.TemporaryDirectory() as folder:
        jobs, out = write_list(Path(folder), count), Path(folder, "out")
        log = out / "batch.jsonl"
        process = driver(jobs, out, STUB_SECONDS, "local", 2, False)
        half = count // 2
        per_row = 330  # bytes of a job's two rows, at least
        peak = watched(
            process, lambda: log.exists() and log.stat().st_size > half * per_row and states(out)[DONE] > half
        )
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        began, before = time.time(), states(out)[DONE]
        took = times(out, STARTED, DONE)
        process = driver(jobs, out, STUB_SECONDS, "local", 2, True)
        peak = max(peak, watched(process, lambda: False))
        process.join()
        after = [row for row in rows_of(out) if row["time"] > began]
        done = Counter(row["id"] for row in rows_of(out) if row["state"] == DONE)
        return {
            "rows": count,
            "rows_per_second": before / (took[-1] - took[0]),
            "peak_mb": peak,
            "resume_s": next(row["time"] for row in after if row["state"] == STARTED) - began,
            "lost": count - len(done),
            "twice": sum(number > 1 for number in done.values()),
            "manifest_mb": log.stat().st_size / 1e6,
        }


def write_shop(folder: Path, count: int) -> Path:
    """So many photos that the model does not know, each another, with masks; one of twenty is cut off."""
    rgb = scene(shade=True).rgb
    for k in range(count):
        path = folder / f"{k:04}.png"
        Image.fromarray(np.roll(rgb, k % 60, 1)).save(path)
        Image.fromarray((np.roll(DISC, k % 60, 1) * 255).astype(np.uint8)).save(folder / f"{k:04}-mask.png")
        if k % BROKEN == BROKEN - 1:
            path.write_bytes(path.read_bytes()[:500])
    lines = (f'{k:04}.png,move,disc,"0.1,0.05"' for k in range(count))
    (folder / "jobs.csv").write_text("photo,kind,object,by\n" + "\n".join(lines))
    return folder / "jobs.csv"


def edit(jobs: Path, out: Path, *words: str) -> subprocess.Popen:
    """The command."""
    command = [sys.executable, "-m", "realedit.cli", "batch", str(jobs), "--out-dir", str(out), "-q", "--device", "cpu"]
    return subprocess.Popen([*command, "--mask-pattern", "{stem}-mask.png", *words], cwd=ROOT)


def measure_workers(count: int) -> Numbers:
    """Real edits a minute with one worker and with two, from when all have loaded."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        jobs = write_shop(Path(folder), count)
        for workers in (1, 2):
            out = Path(folder, f"out{workers}")
            edit(jobs, out, "--workers", str(workers)).wait()
            ended = times(out, DONE, FAILED)[workers * 2 :]
            found[f"edits_per_minute_{workers}"] = (len(ended) - 1) / (ended[-1] - ended[0]) * 60
        names = {path.name for path in Path(folder, "out1").glob("*.png")}
        same = [Path(folder, "out1", name).read_bytes() == Path(folder, "out2", name).read_bytes() for name in names]
    ratio = found["edits_per_minute_2"] / found["edits_per_minute_1"]
    return {**found, "ratio": ratio, "files": len(same), "files_equal": sum(same)}


def measure_faults(count: int) -> Numbers:
    """Real edits with broken photos, a killed worker, and then a killed driver."""
    with tempfile.TemporaryDirectory() as folder:
        jobs, out = write_shop(Path(folder), count), Path(folder, "out")
        began = time.time()
        process = edit(jobs, out, "--workers", "2")
        killed = 0
        while process.poll() is None:
            time.sleep(0.5)
            ended = states(out)[DONE]
            if ended >= count // 4 and not killed:
                workers = [p for p in psutil.Process(process.pid).children() if p.memory_info().rss > 2e8]
                workers[0].kill()
                killed = 1
            if ended >= count // 2:
                process.kill()
        code = edit(jobs, out, "--workers", "2", "--resume").wait()
        rows = list(rows_of(out))
        done = Counter(row["id"] for row in rows if row["state"] == DONE)
        broken = {row["id"] for row in rows if row["state"] == FAILED} - set(done)
        files = list(out.glob("*.png"))
        return {
            "edits": count,
            "done": len(done),
            "failed": len(broken),
            "twice": sum(number > 1 for number in done.values()),
            "files": len(files),
            "unfinished_files": len(list(out.glob(".realedit-*"))),
            "exit_code": code,
            "seconds": time.time() - began,
        }


def table_of(rows: dict[str, Numbers]) -> Table:
    table = Table("part", "measure", "value")
    for part, numbers in rows.items():
        for name, value in numbers.items():
            table.add_row(part, name, f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}")
    return table


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(("overhead", "rows", "workers", "faults")))
@click.option("--rows", default=100_000, show_default=True)
@click.option("--edits", default=200, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(parts: tuple[str, ...], rows: int, edits: int, json_path: Path | None) -> None:
    """Measure batches, all parts or some."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    asked = parts or ("overhead", "rows", "workers", "faults")
    found: dict[str, Numbers] = {}
    if "overhead" in asked:
        for engine in OVERHEAD_JOBS:
            try:
                found[f"overhead, {engine}"] = measure_overhead(engine)
            except (RealEditError, ValueError) as error:
                click.echo(f"{engine}: {error}", err=True)
    if "rows" in asked:
        found["rows"] = measure_rows(rows)
    if "workers" in asked:
        found["workers"] = measure_workers(max(12, edits // 6))
    if "faults" in asked:
        found["faults"] = measure_faults(edits)
    Console(width=120).print(table_of(found))
    if json_path is not None:
        json_path.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
