"""The input and the result of an inversion, the same for every method."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from inversion.text import Embedding

Watch = Callable[[int], AbstractContextManager[None]]
"""Called with a step: what the last row of the U-Net's pass inside the block shows is kept, see `inversion.record`."""


def silent(step: int) -> None:
    """Report progress to nobody."""


def unwatched(step: int) -> AbstractContextManager[None]:
    """Keep nothing."""
    return nullcontext()


@dataclass(frozen=True, eq=False)
class InversionProblem:
    """A photo to invert, and how it is to be sampled afterwards.

    `latent` (1, C, h, w): the encoded photo, on the model's device, float32 (or float64, which is kept).
    `prompt`: what the photo shows; the end that the model does not read is named in a `Notice`.
    `guidance_scale`: g of the sampling that is to give the photo back; 1 is the prompted row alone.
    `on_step`: called with a step when it is done. Methods that walk to the noise and back call it twice a step, with
    steps - 1, ..., 0 and then 0, ..., steps - 1.
    `watch`: entered with step `i` around every pass of the prompted row at pivot `i`, or at an estimate of it, that
    the method makes anyway; steps that a method never shows are not watched.
    """

    model: DiffusionModel
    latent: Tensor
    prompt: str
    schedule: Schedule
    guidance_scale: float
    on_step: Callable[[int], None] = silent
    watch: Watch = unwatched

    @cached_property
    def prompted(self) -> Embedding:
        """The prompt's embedding: one text, encoded once."""
        return self.model.embed(self.prompt)

    def predict_prompted(self, z: Tensor, i: int) -> Tensor:
        """The network's output (1, C, h, w), float32, for the prompt and a latent (1, C, h, w) at the timestep of
        step `i`."""
        return self.model.predict(z, self.schedule.timesteps[i], [self.prompted])

    def guided_down(self, z: Tensor, unprompted: Tensor, prompted: Tensor, i: int) -> Tensor:
        """Step `i` from the latent `z` towards the photo, along the outputs of both rows at the guidance scale; all
        are (1, C, h, w)."""
        return self.schedule.down(z, unprompted + self.guidance_scale * (prompted - unprompted), i)


@dataclass(frozen=True, eq=False)
class Inverted:
    """A photo in the model's noise.

    `pivots` (steps + 1, C, h, w): the latents on the way, `pivots[0]` the noise and `pivots[-1]` the photo's own
    latent. `unconditional`: the text of the unprompted row at every step, float32. Sampling from `pivots[0]` with them
    at `guidance_scale` gives the photo back, if after each step its `residuals` (steps, C, h, w) are added; None are
    zero. All tensors are on the model's device.
    """

    pivots: Tensor
    unconditional: Embedding
    guidance_scale: float
    residuals: Tensor | None = None
