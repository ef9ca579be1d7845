"""What every worker of a batch does: the job of a list as the same edit, by the same code, as a single command makes.
Torch is imported by those who start it."""

import errno
import functools
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inversion.errors import MemoryShortage, RealEditError, first_line
from realedit.batch.job import Job, content_hash, stamp
from realedit.batch.outcome import Outcome
from realedit.batch.storage import Mirror, is_url, joined, mirror
from realedit.commands.context import RunOptions
from realedit.commands.output_options import Acceptance, FileOptions
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import renamed
from realedit.files.sidecar import SIDECAR_SUFFIX, file_hash, versions
from realedit.jobs.model_run import quiet_libraries
from realedit.settings import DEFAULTS, ModelChoice

if TYPE_CHECKING:
    from realedit.evaluation.report import EditReport

FULL = (errno.ENOSPC, errno.EDQUOT)
LASTING = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)  # which another attempt meets too


@dataclass(frozen=True)
class EditWork:
    """Edits of photos whose paths start from a `folder`, into `results`, a folder or a URL; with a model, and written
    and accepted as options say."""

    folder: Path
    results: str
    which: ModelChoice = ModelChoice()
    files: FileOptions = FileOptions()
    sidecar: bool = True
    accept: Acceptance = field(default_factory=Acceptance)

    def options(self) -> str:
        """All that decides about results beside jobs, as text; where they lie and by which device does not."""
        files = {name: value for name, value in asdict(self.files).items() if name != "force"}
        which = {
            name: value
            for name, value in asdict(self.which).items()
            if name in ("model", "revision", "variant", "dtype")
        }
        return repr((which, files, self.sidecar, asdict(self.accept)))

    def start(self) -> "EditWorker":
        """Load the model.

        Raises:
            ModelError: it cannot be had.
        """
        quiet_libraries(notices=False)
        shared = RunOptions(self.which, None, DEFAULTS.method, DEFAULTS.steps, DEFAULTS.seed, quiet=True)
        _ = shared.model
        return EditWorker(self, shared)


@dataclass(frozen=True)
class EditWorker:
    """A worker with its model."""

    work: EditWork
    shared: RunOptions

    @property
    def gpus(self) -> int:
        """One if the user said which; those of this machine if it was found by itself."""
        import torch

        if self.shared.model.device.type != "cuda":
            return 0
        return torch.cuda.device_count() if self.work.which.device in ("auto", "cuda") else 1

    def __call__(self, job: Job, /) -> Outcome:
        """Make one edit; whatever goes wrong is said."""
        inputs = job.inputs(self.work.folder)
        known = {"stamp": stamp(inputs), "input": content_hash(inputs), "versions": _versions()}
        try:
            return Outcome(values=known | self._edit(job))
        except Exception as error:
            return _failed(error, known)

    def _edit(self, job: Job) -> dict[str, Any]:
        names = (job.photo, *job.files, self.work.results)
        if not any(map(is_url, names)):
            return self._local(job, self.work.folder, Path(self.work.results) / job.output)
        with mirror() as here:
            return self._through(here, job)

    def _through(self, here: Mirror, job: Job) -> dict[str, Any]:
        """Make an edit whose files, or some of them, lie on shared storage."""

        def local(name: str) -> str:
            return str(here.fetch(name) if is_url(name) else self.work.folder / name)

        photo, recipe = local(job.photo), renamed(Recipe.model_validate_json(job.recipe), local, str)
        moved = replace(job, photo=photo, recipe=recipe.model_dump_json(by_alias=True, exclude_none=True))
        if not is_url(self.work.results):
            return self._local(moved, Path(), Path(self.work.results) / job.output)
        target = joined(self.work.results, job.output)
        values = self._local(moved, Path(), here.path(target))
        here.send(target)
        if self.work.sidecar:
            here.send(f"{target}{SIDECAR_SUFFIX}")
        return values

    def _local(self, job: Job, folder: Path, result: Path) -> dict[str, Any]:
        from realedit.commands.edit_job import write_edit
        from realedit.commands.results import Outputs
        from realedit.files.reading import PhotoFile
        from realedit.jobs.edit_job import EditJob

        path, recipe = folder / job.photo, Recipe.model_validate_json(job.recipe)
        result.parent.mkdir(parents=True, exist_ok=True)
        outputs = Outputs(result, sidecar=self.work.sidecar, files=replace(self.work.files, force=True))
        shared, accept = self.shared.saying(job.prompt, job.prompt_source), self.work.accept
        done = write_edit(shared, EditJob(path, PhotoFile.open(path), recipe, folder), outputs, accept)
        values = {"result": file_hash(result), "pixels": done.pixels, "seed": recipe.seed, **_numbers(done.report)}
        try:
            accept.check_outside(done.report)
            accept.check_energies(done.report)
        except RealEditError as error:
            raise _NotAccepted(str(error), values) from error
        return values


class _NotAccepted(RealEditError):
    """A result that was written and shall not count; `values`: what is known of it."""

    def __init__(self, said: str, values: dict[str, Any]) -> None:
        super().__init__(said)
        self.values = values


@functools.cache
def _versions() -> dict[str, str]:
    return versions()


def _numbers(report: "EditReport") -> dict[str, Any]:
    """Those of a report that tell which results to look at."""
    outside = report.outside.as_dict()
    verdict = {"level": report.verdict.level.value, "reasons": list(report.verdict.reasons)}
    numbers = {name: outside[name] for name in ("psnr_db", "ssim", "perceptual", "perceptual_name", "identical")}
    edit = {"touched": round(report.touched_share, 6), "evaluations": report.evaluations, "mode": report.mode.name}
    return {"verdict": verdict, "outside": numbers, **edit}


def _failed(error: Exception, known: dict[str, Any]) -> Outcome:
    """What an error means for its job and the others."""
    if isinstance(error, _NotAccepted):
        return Outcome(str(error), values=known | error.values)
    cause = error if isinstance(error, OSError) else error.__cause__
    full = isinstance(cause, OSError) and cause.errno in FULL
    if isinstance(error, RealEditError):
        unsure = isinstance(error, MemoryShortage) or (isinstance(cause, OSError) and _may_pass(cause))
        return Outcome(str(error), again=unsure and not full, hopeless=full, values=known)
    memory = isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "memory" in str(error))
    said = "out of memory" if memory else f"{type(error).__name__}: {first_line(error)}"
    return Outcome(said, again=memory or (isinstance(error, OSError) and _may_pass(error)), hopeless=full, values=known)


def _may_pass(error: OSError) -> bool:
    """Whether the system may say otherwise the next time; decoders raise OSError without a number."""
    return error.errno is not None and not isinstance(error, LASTING)
