"""A filler that draws holes from noise with the text-to-image model at hand, by RePaint (arXiv 2201.09865)."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from realedit.engines import RePaint
from realedit.images import resize, working_size
from realedit.inpainting.hole_view import fill_through_view, hole_crop
from realedit.methods.controlnet import ControlMap, control_residuals
from realedit.methods.repaint import repaint
from realedit.methods.sampler_run import Task
from realedit.sampling.background import ANY_BACKGROUND
from realedit.sampling.session import Session
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class RepaintFiller:
    """A `PromptedFiller`, which sees the part around the hole at the model's size, and follows maps of the whole photo,
    its `controls`."""

    name: ClassVar[str] = "RePaint"

    session: Session
    engine: RePaint = RePaint()
    prompt: str = ANY_BACKGROUND
    controls: Sequence[ControlMap] = ()

    def with_prompt(self, prompt: str, settings: Settings, on_step: Callable[[int], None]) -> "RepaintFiller":
        """See `PromptedFiller`; progress is told to the session."""
        return replace(self, prompt=prompt, session=replace(self.session, settings=settings))

    def __call__(self, photo: Tensor, hole: Tensor, others: Tensor) -> Tensor:
        """See `Filler`; the same seed gives the same pixels."""
        native = self.session.model.native_size
        maps = [each.cut_out(hole_crop(hole, others, native)) for each in self.controls if (hole > 0.5).any()]
        return fill_through_view(photo, hole, others, native, functools.partial(self._draw, maps))

    def _draw(self, maps: Sequence[ControlMap], image: Tensor, hidden: Tensor) -> Tensor:
        """A part (1, 3, h, w), drawn anew in every cell that is `hidden` (1, 1, h, w) in part, by maps of it."""
        model, whole = self.session.model, (image.shape[-1], image.shape[-2])
        size = working_size(whole, model.native_size, model.pixel_multiple)
        task = Task(self.session, resize(image, size), self.prompt, self.prompt, resize(hidden, size))
        run = replace(repaint(task, self.engine), residuals=control_residuals(model, maps))
        return resize(model.decode(run.latent(self.session)).cpu(), whole)
