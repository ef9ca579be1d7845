"""What every step that asks the model shares: the model, how it is used, and who is told of progress."""

from collections.abc import Callable
from dataclasses import dataclass

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from realedit.settings import DEFAULTS, Settings

Progress = Callable[[str], None]
"""Told the name of a stage when it begins, such as "finding the object" or "sampling", and once more after each of its
steps."""


def silent(stage: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Session:
    """A loaded `model`, the `settings` of one run, whom to tell of its `progress`, and whether a `Trace` is kept of
    every guided run (`traced`)."""

    model: DiffusionModel
    settings: Settings = DEFAULTS
    progress: Progress = silent
    traced: bool = False

    @property
    def schedule(self) -> Schedule:
        """The noise levels of this run, as many steps as its settings say."""
        return self.model.schedule(self.settings.steps)

    def steps_of(self, stage: str) -> Callable[[int], None]:
        """Begin a stage; what its loop calls after each step."""
        self.progress(stage)
        return lambda i: self.progress(stage)
