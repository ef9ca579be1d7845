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
"""Called with a step; records the last row of the U-Net's forward pass inside the block, see `inversion.record`."""


def silent(step: int) -> None:
    """Report no progress."""


def unwatched(step: int) -> AbstractContextManager[None]:
    """Record nothing."""
    return nullcontext()


@dataclass(frozen=True, eq=False)
class InversionProblem:
    """A photo to invert, and how it is to be sampled afterwards.

    `latent` (1, C, h, w): the encoded photo, float32 (float64 is kept), on the model's device.
    `prompt`: what the photo shows. If it is too long for the model, a `Notice` names the part that is cut off.
    `schedule`: the steps of inversion and sampling.
    `guidance_scale`: that of the sampling which is to reproduce the photo; at 1 only the prompted row counts.
    `on_step`: called with each step when it is done: with steps - 1, ..., 0 on the way to the noise, and by methods
    that then sample back once more with 0, ..., steps - 1.
    `watch`: entered with step `i` around every forward pass of the prompted row at pivot `i`, or at an estimate of it,
    that the method needs anyway; some methods make no such pass.
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
        """The network's output (1, C, h, w), float32, for a latent (1, C, h, w) and the prompt, at step `i`."""
        return self.model.predict(z, self.schedule.timesteps[i], [self.prompted])

    def guided_down(self, z: Tensor, unprompted: Tensor, prompted: Tensor, i: int) -> Tensor:
        """The latent that sampling step `i` makes of `z` with the outputs of both rows, all (1, C, h, w)."""
        return self.schedule.down(z, unprompted + self.guidance_scale * (prompted - unprompted), i)


@dataclass(frozen=True, eq=False)
class Inverted:
    """An inverted photo.

    `pivots` (steps + 1, C, h, w): the latents on the way, `pivots[0]` the noise and `pivots[-1]` the photo's own
    latent. `unconditional`: the embedding of the unprompted row at every step (steps texts), float32. Sampling from
    `pivots[0]` with it at `guidance_scale` reproduces the photo, if after each step its row of `residuals`
    (steps, C, h, w) is added; None stands for zeros. All tensors are on the model's device.
    """

    pivots: Tensor
    unconditional: Embedding
    guidance_scale: float
    residuals: Tensor | None = None
