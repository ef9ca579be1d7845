"""What every step that asks the model shares: the model, how it is used, and who is told of progress."""

from collections.abc import Callable
from dataclasses import dataclass

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from realedit.settings import DEFAULTS, Settings

Progress = Callable[[str], None]
"""Told the name of the phase after each of its network passes, such as "inverting" or "editing"."""


def silent(phase: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Session:
    """A loaded `model`, the `settings` of one run, and whom to tell of its `progress`."""

    model: DiffusionModel
    settings: Settings = DEFAULTS
    progress: Progress = silent

    @property
    def schedule(self) -> Schedule:
        """The noise levels of this run, as many steps as its settings say."""
        return self.model.schedule(self.settings.steps)

    def steps_of(self, phase: str) -> Callable[[int], None]:
        """What a loop calls after each step of a phase."""
        return lambda i: self.progress(phase)
