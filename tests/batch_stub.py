"""Work that takes milliseconds, for what does not depend on the edit; what a photo is called says what befalls it."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from inversion.errors import ModelError
from realedit.batch.job import Job, content_hash, stamp
from realedit.batch.outcome import Outcome
from realedit.commands.output_options import FileOptions

NO_EDIT = '{"edit": [{"kind": "remove", "object": "thing"}]}'


@dataclass(frozen=True)
class StubWork:
    """Writes the photo's name as its result; `marks`: a folder in which every attempt leaves a file."""

    folder: Path
    results: str
    seconds: float = 0.005
    files: FileOptions = FileOptions()
    missing_model: bool = False

    def options(self) -> str:
        return ""

    def start(self) -> "StubWorker":
        if self.missing_model:
            raise ModelError("the model stub cannot be had")
        return StubWorker(self)


@dataclass(frozen=True)
class StubWorker:
    work: StubWork
    gpus = 0

    def __call__(self, job: Job, /) -> Outcome:
        time.sleep(self.work.seconds)
        began = Path(self.work.results, f"{job.output}.tries")
        tries = began.read_text() if began.exists() else ""
        if job.photo.startswith("bad"):
            return Outcome("the photo is bad")
        if job.photo.startswith(("deadly", "hanging", "once", "full")):
            began.write_text(tries + ".")
        if job.photo.startswith("deadly") or (job.photo.startswith("once") and not tries):
            os.kill(os.getpid(), signal.SIGKILL)
        if job.photo.startswith("hanging"):
            time.sleep(60)
        if job.photo.startswith("full"):
            return Outcome("cannot write: no space left", hopeless=True)
        Path(self.work.results, job.output).write_text(job.photo)
        inputs = job.inputs(self.work.folder)
        return Outcome(values={"stamp": stamp(inputs), "input": content_hash(inputs), "pid": os.getpid()})


def job(name: str, line: int = 1) -> Job:
    """A job whose photo has this name, and whose result has it too."""
    return Job(name, name, f"{name}.png", NO_EDIT, (), None, "", line)


def main(folder: Path, count: int, seconds: float, *words: str) -> None:
    """Do so many jobs into a folder, as the command does it; words are passed on as they are."""
    from realedit.batch.job_list import JobList
    from realedit.commands.batch_options import EngineOptions, RunFlags
    from realedit.commands.batch_run import run_listed

    found = JobList(folder, [job(f"{k:06}", k + 1) for k in range(count)])
    flags = RunFlags(folder, resume="--resume" in words, quiet="-q" in words)
    engine = "ray" if "ray" in words else "local"
    run_listed(found, StubWork(folder, str(folder), seconds), EngineOptions(engine, workers=2), flags)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
