"""What every step that asks the model shares: the model, how it is used, and who is told of progress."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from realedit.sampling.descriptors import PictureDescriptor
from realedit.sampling.map_reading import ATTENTION_MAPS, MapReading
from realedit.sampling.stepping import DdimSteps, StepRule
from realedit.settings import DEFAULTS, Settings

Progress = Callable[[str], None]
"""Told the name of a stage when it begins, such as "finding the object" or "sampling", and once more after each of its
steps."""

ShowPicture = Callable[[Tensor], None]
"""Shown an early picture (1, 3, h, w) in sRGB of the part of the photo that is edited, at whatever size."""
Preview = Callable[[int, Tensor], None]
"""Told at each step of a sampler the clean latent (1, C, h, w) that it predicts."""
PREVIEW_EVERY = 2  # steps of a sampler


def silent(stage: str) -> None:
    """Tell nobody."""


def load(model: DiffusionModel, progress: Progress) -> None:
    """Load a model's networks, and tell of that stage, unless it was done before."""
    if not model.is_loaded:
        progress(f"loading {model.name}")
        _ = model.parts


StepGuide = Callable[[StepRule], StepRule]
"""Puts something around a step rule that goes with every system, such as the gradient of a classifier."""


@dataclass(frozen=True, eq=False)
class Session:
    """A loaded `model`, the `settings` of one run, whom to tell of its `progress`, whether a `Trace` is kept of every
    guided run (`traced`), and who is shown early pictures (`show`), None: nobody, and none is decoded. `descriptor`:
    what tells structure and look of pictures, None: the model's autoencoder. `guide`: what guides the steps of all that
    is drawn from words or anew. `maps`: what the energies of regenerated edits read."""

    model: DiffusionModel
    settings: Settings = DEFAULTS
    progress: Progress = silent
    traced: bool = False
    show: ShowPicture | None = None
    descriptor: PictureDescriptor | None = None
    guide: StepGuide | None = None
    maps: MapReading = ATTENTION_MAPS

    @property
    def schedule(self) -> Schedule:
        """The noise levels of this run, as many steps as its settings say."""
        return self.model.schedule(self.settings.steps)

    def stepping(self, own: StepRule | None = None) -> StepRule | None:
        """A system's own step rule, None for DDIM, with what guides it."""
        return own if self.guide is None else self.guide(own or DdimSteps())

    def steps_of(self, stage: str) -> Callable[[int], None]:
        """Begin a stage; what its loop calls after each step."""
        self.progress(stage)
        return lambda i: self.progress(stage)

    def preview(self, also: Preview | None = None) -> Preview | None:
        """What a sampler tells of its steps: `also`, and every second picture to who wants to see it."""
        if self.show is None:
            return also
        show = self.show

        def both(i: int, clean: Tensor) -> None:
            if also is not None:
                also(i, clean)
            if i % PREVIEW_EVERY == PREVIEW_EVERY - 1:
                show(self.model.decode(clean.detach()).cpu())

        return both
