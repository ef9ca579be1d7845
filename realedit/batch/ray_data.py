"""Edits inside a pipeline of Ray Data, for those who run one: rows of a dataset in, what came of them out. Photos go as
paths or URLs: Ray Data's own reader of images loses their metadata and colour profiles. Nothing is kept but the
results; resume and retries are Ray Data's."""

import json
from pathlib import Path
from typing import Any

from realedit.batch.engine import Work
from realedit.batch.job_list import JobList, Naming
from realedit.batch.outcome import Outcome
from realedit.batch.row_recipe import RecipeReader
from realedit.batch.rows import Row


def map_batches_udf(work: Work, folder: Path = Path(), recipe: Path | None = None, naming: Naming = Naming()) -> type:
    """The class that `Dataset.map_batches` takes for rows with the columns of a job list, whose paths start from a
    `folder`: `dataset.map_batches(map_batches_udf(work), batch_size=8, concurrency=4, num_gpus=0.25)`. Each actor loads
    the model once. `recipe`: of rows that say no edit.

    The rows that come out, in the same order, have an `id`, an `output`, an `error` ("" where it is done), and the
    numbers that a manifest would hold as JSON (`values`). A row that is wrong, or fails, stops nothing.
    """

    class EditBatch:
        def __init__(self) -> None:
            self.do, self.recipes = work.start(), RecipeReader(folder, recipe)

        def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
            count = len(next(iter(batch.values())))
            rows = [self.row({name: column[k] for name, column in batch.items()}) for k in range(count)]
            return {name: [row[name] for row in rows] for name in ("id", "output", "error", "values")}

        def row(self, values: dict[str, Any]) -> dict[str, str]:
            given = {name: plain for name, value in values.items() if (plain := _plain(value)) is not None}
            found = JobList.of([Row(1, given)], self.recipes, naming)
            if found.faults:
                name = str(given.get("id", ""))
                return {"id": name, "output": "", "error": found.faults[0].said, "values": "{}"}
            (job,) = found.jobs
            outcome: Outcome = self.do(job)
            said = {"error": outcome.error or "", "values": json.dumps(outcome.values)}
            return {"id": job.id, "output": job.output, **said}

    return EditBatch


def _plain(value: Any) -> Any:
    """A value of a column as JSON would have it; None where it is missing."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    return None if plain is None or plain != plain else plain
