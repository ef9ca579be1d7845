"""What came of one attempt at a job, as a worker says it. No torch."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """`error`: the one line that says what went wrong; None if it is done. `again`: whether another attempt may help;
    `hopeless`: the next jobs would end likewise, as when the disk is full. `values`: hashes, versions and numbers for
    the manifest."""

    error: str | None = None
    again: bool = False
    hopeless: bool = False
    values: dict[str, Any] = field(default_factory=dict)
