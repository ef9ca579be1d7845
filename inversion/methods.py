"""The ways to invert a photo, by the names that users give them."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from inversion import ddim, fixed_point, negative_prompt, null_text, residual
from inversion.ddim import Inverted, Watch
from inversion.model import DiffusionModel
from inversion.schedule import Schedule


class Method(Protocol):
    """The signature that every inversion shares; `latent` (1, C, h, w) is the encoded photo, and
    `watch` may be shown the prompted row at the pivots."""

    def __call__(
        self,
        model: DiffusionModel,
        latent: Tensor,
        prompt: str,
        schedule: Schedule,
        guidance_scale: float,
        on_step: Callable[[int], None] = ...,
        watch: Watch = ...,
    ) -> Inverted: ...


METHODS: dict[str, Method] = {
    "null-text": null_text.invert,
    "negative-prompt": negative_prompt.invert,
    "fixed-point": fixed_point.invert,
    "residual": residual.invert,
    "ddim": ddim.invert,
}
