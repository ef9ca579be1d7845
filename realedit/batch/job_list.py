"""A whole list of jobs, checked before anything runs: each fault with the line where it stands. No torch."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from inversion.errors import EditError, RealEditError
from realedit.batch.job import Job
from realedit.batch.row_recipe import RecipeReader
from realedit.batch.rows import Row
from realedit.batch.storage import is_url
from realedit.files.access import is_there
from realedit.files.captions import FROM_OPTION, FROM_RECIPE
from realedit.files.encoding import format_of
from realedit.files.kinds import FORMATS, RAW, SUFFIXES
from realedit.files.recipe_files import check_coordinates, named_files, named_models, regions


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row."""

    line: int
    said: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.said}"


@dataclass(frozen=True)
class Naming:
    """How names are found that rows leave out: `mask_pattern` of the mask beside a photo, such as "{stem}-mask.png";
    the `kind` is the ending of results, where it is not the photo's."""

    mask_pattern: str | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        try:
            self.mask_of("a/b.jpg")
        except (KeyError, IndexError, ValueError) as error:
            known = "{stem}, {name} and {suffix}"
            raise EditError(
                f'--mask-pattern "{self.mask_pattern}" may hold {known} of the photo, nothing else'
            ) from error

    def mask_of(self, photo: str) -> str | None:
        """The name of a photo's mask, None where there is no pattern."""
        if self.mask_pattern is None:
            return None
        folder, _, name = photo.rpartition("/")
        path = PurePosixPath(name)
        mask = self.mask_pattern.format(stem=path.stem, name=path.name, suffix=path.suffix)
        return f"{folder}/{mask}" if folder else mask

    def output_of(self, photo: str) -> str:
        """The name of a result that is not named."""
        name = PurePosixPath(photo.rpartition("/")[2])
        own = name.suffix.lower()
        suffix = f".{self.kind}" if self.kind else ".tif" if own in RAW else SUFFIXES["PNG"]
        return str(name) if own in FORMATS and not self.kind else str(name.with_suffix(suffix))


@dataclass
class JobList:
    """The jobs of rows whose paths start from a `folder`, the `faults` of the rows that are none, and the `models` that
    the jobs name, and what for."""

    folder: Path
    jobs: list[Job] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row], recipes: RecipeReader, naming: Naming = Naming()) -> "JobList":
        """Check every row by itself, and all of them together."""
        found = cls(recipes.folder)
        for row in rows:
            try:
                if row.fault is not None:
                    raise EditError(row.fault)
                found.jobs.append(found._job(row, recipes, naming))
            except RealEditError as error:
                found.faults.append(Fault(row.line, str(error)))
        found._check_together()
        found.faults.sort(key=lambda fault: fault.line)
        return found

    def _job(self, row: Row, recipes: RecipeReader, naming: Naming) -> Job:
        values = dict(row.values)
        photo = values.get("photo")
        for name in ("photo", "id", "output", "recipe", "prompt"):
            if name in values and not (isinstance(values[name], str) and values[name].strip()):
                raise EditError(f"{name} {values[name]!r} is no text")
        if not isinstance(photo, str):
            raise EditError("no photo")
        mask = naming.mask_of(photo)
        if mask is not None and "mask" not in values:
            values["mask"] = mask
        recipe = recipes.of(values)
        self.models.update(named_models(recipe))
        prompt, said_in = values.get("prompt"), FROM_OPTION
        if prompt is None and "kind" not in values:
            prompt, said_in = recipe.prompt, FROM_RECIPE
        output = _inside(values.get("output") or naming.output_of(photo))
        format_of(Path(output))
        files = named_files(recipe)
        self._check_files(photo, files)
        for region in regions(recipe):
            check_coordinates(region)
        text = recipe.model_dump_json(by_alias=True, exclude_none=True)
        return Job(values.get("id") or output, photo, output, text, files, prompt, said_in, row.line)

    def _check_files(self, photo: str, files: Iterable[str]) -> None:
        for what, name in (("photo", photo), *(("file", name) for name in files)):
            if not is_url(name) and not is_there(self.folder / name):
                raise EditError(f"the {what} {name} does not exist")

    def _check_together(self) -> None:
        """Find jobs of one id, or that would be written to one file or over a photo."""
        ids: dict[str, int] = {}
        outputs: dict[str, int] = {}
        for job in self.jobs:
            for what, name, lines in (("id", job.id, ids), ("output", job.output.casefold(), outputs)):
                first = lines.setdefault(name, job.line)
                if first != job.line:
                    said = f"{what} {job.id if what == 'id' else job.output} is that of line {first} too"
                    self.faults.append(Fault(job.line, f"{said}; give each row its own"))

    def require_no_fault(self) -> None:
        """Raises `EditError` unless every row is a job, and there is one."""
        if self.faults:
            wrong = len({fault.line for fault in self.faults})
            raise EditError(f"{wrong} of the job list's rows are wrong, as said above; nothing was run")
        if not self.jobs:
            raise EditError("the job list holds no rows; give one for each result")

    def check_outputs_apart(self, out_dir: Path) -> None:
        """Find jobs whose results would lie where something is read."""
        read = {os.path.abspath(path) for job in self.jobs for path in job.inputs(self.folder)}
        for job in self.jobs:
            if os.path.abspath(out_dir / job.output) in read:
                self.faults.append(Fault(job.line, f"the result {job.output} would replace a file that is read"))


def _inside(output: str) -> str:
    """The path of a result below the folder of results.

    Raises:
        EditError: it leads out of it.
    """
    path = PurePosixPath(output.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or is_url(output) or path.name.startswith("."):
        raise EditError(f"the output {output} does not lie below --out-dir; give a path from there")
    return str(path)
