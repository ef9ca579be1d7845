"""How far a folder of results is, by its manifest. No torch."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inversion.errors import EditError
from realedit.batch.manifest import DONE, FAILED, RUN, STARTED, History, manifest_path, rows_of

RECENT = 200  # attempts by which the rate is estimated


@dataclass(frozen=True)
class Status:
    """Of `count` jobs of the last run's list, how many are `done`, `failed`, and `in_hand` (begun and not ended: at
    work now, or lost when a run was killed); the `failures` by id; and the seconds that the rest may take."""

    count: int
    done: int
    failed: int
    in_hand: int
    failures: dict[str, str]
    seconds_left: float | None

    @classmethod
    def of(cls, folder: Path) -> "Status":
        """Raises `EditError` if there is no manifest, or a damaged one."""
        if not manifest_path(folder).is_file():
            raise EditError(f"{folder} holds no {manifest_path(folder).name}; give the --out-dir of a batch")
        history, failures = History(), dict[str, str]()
        ended: deque[float] = deque(maxlen=RECENT)
        for row in rows_of(folder):
            history.add(row)
            if row["state"] == RUN:
                ended.clear()
                ended.append(row["time"])
            elif row["state"] in (DONE, FAILED):
                ended.append(row["time"])
                failures.pop(row["id"], None)
                if row["state"] == FAILED:
                    failures[row["id"]] = row.get("error", "")
        states = [last.state for last in history.jobs.values()]
        count = max(int(history.run.get("count", 0)), len(states))
        done, failed = states.count(DONE), states.count(FAILED)
        return cls(count, done, failed, states.count(STARTED), failures, _left(count - done - failed, ended))

    def to_text(self) -> str:
        """A line of counts, and a line for each failure."""
        rest = self.count - self.done - self.failed
        left = f", about {self.seconds_left:.0f} s at the last rate" if self.seconds_left and rest else ""
        counts = f"{self.done} of {self.count} done, {self.failed} failed, {self.in_hand} begun, {rest} to do{left}"
        return "\n".join([counts, *(f"{name}: {said}" for name, said in self.failures.items())])

    def as_dict(self) -> dict[str, Any]:
        return vars(self)


def _left(jobs: int, ended: Sequence[float]) -> float | None:
    """Seconds that so many jobs take, at the rate of the attempts that ended at these times."""
    if len(ended) < 2:
        return None
    return max(0, jobs) * (ended[-1] - ended[0]) / (len(ended) - 1)
