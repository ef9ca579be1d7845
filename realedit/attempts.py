"""Sampling what an edit asks for, in another way again while new looks do not fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.edits import Source
from realedit.guests import Guest
from realedit.inverting import Seen
from realedit.looks import NewLook, choose_looks
from realedit.planning import Plan
from realedit.regenerating import Script, regenerate, script_of
from realedit.settings import Settings
from realedit.staging import Stage


@dataclass(frozen=True, eq=False)
class Drawing:
    """What the sampler made of a script: a picture (1, 3, h, w), and what is to be taken from it."""

    script: Script
    picture: Tensor
    looks: list[NewLook]

    @property
    def fit(self) -> float:
        """Of the look that fits worst."""
        return min((look.fit for look in self.looks if look.k in self.script.drawn), default=1.0)


def best_drawing(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    guests: Mapping[Source, Guest],
    settings: Settings,
    on_step: Callable[[int], None],
) -> Drawing:
    """The best of the attempts; the first that fits is the last."""
    schedule, best = model.schedule(settings.steps), None
    for attempt in settings.attempts:
        script = script_of(model, seen, plan, stage, guests, attempt, settings)
        picture = regenerate(model, seen, plan, stage, script, settings, on_step)
        looks = choose_looks(model, script, stage, plan.cast.backdrop.plate, picture, schedule, settings)
        made = Drawing(script, picture, looks)
        if best is None or made.fit > best.fit + settings.better:
            best = made
        if best.fit >= settings.fitting:
            break
    assert best is not None  # there is always one attempt
    return best
