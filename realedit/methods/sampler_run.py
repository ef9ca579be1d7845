"""What a system is given, and what it gives back: a run of the sampler, as a value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from inversion.model import ResidualInputs
from realedit.geometry.crop import Crop
from realedit.sampling.guidance import GuidanceRule
from realedit.sampling.inverted_image import InvertedImage, invert_image
from realedit.sampling.latent_blending import LatentBlend, touched_cells
from realedit.sampling.prediction import Conditioning, Controller
from realedit.sampling.sampler import LatentCallback, sample
from realedit.sampling.session import Session
from realedit.sampling.stepping import StepRule


@dataclass(frozen=True, eq=False)
class Task:
    """A photo, `image` (1, 3, h, w) at the model's size, which `prompt` describes; the `words` that shall describe the
    result; and where it may change, `free` (1, 1, h, w). `crop`: of which photo it is which part; None: all of it."""

    session: Session
    image: Tensor
    prompt: str
    words: str
    free: Tensor
    crop: Crop | None = None

    @cached_property
    def latent(self) -> Tensor:
        """The photo's own, (1, C, h, w)."""
        return self.session.model.encode(self.image)

    @cached_property
    def inverted(self) -> InvertedImage:
        """The photo's inversion under its prompt, made when it is first asked for."""
        return invert_image(self.session, self.image, self.prompt)

    @cached_property
    def pivots(self) -> Tensor:
        """The photo's inverted latents (steps + 1, C, h, w), the noise first."""
        return self.inverted.reference.pivots.to(self.session.model.device)

    @cached_property
    def cells(self) -> Tensor:
        """Where latents may change, (1, 1, h, w)."""
        return touched_cells(self.free, self.latent)

    def held(self, levels: Tensor) -> LatentBlend:
        """A latent callback by which all that may not change is the photo at every level, (steps + 1, C, h, w)."""
        return LatentBlend(levels, torch.where(self.cells > 0.5, -1.0, 1.0))

    def rows(self, guidance_scale: float) -> Conditioning:
        """The new words against none."""
        return Conditioning.plain(self.session.model, self.words, self.session.settings.steps, guidance_scale)


@dataclass(frozen=True, eq=False)
class SamplerRun:
    """What the sampler is handed: see `realedit.sampling.sampler.sample`."""

    start: Tensor
    rows: Conditioning
    walk: Sequence[int] | None = None
    stepping: StepRule | None = None
    guidance: GuidanceRule | None = None
    controllers: Sequence[Controller] = ()
    residuals: ResidualInputs | None = None
    callbacks: Sequence[LatentCallback] = ()

    def latent(self, session: Session) -> Tensor:
        """The clean latent (1, C, h, w) that it ends with."""
        return sample(
            session.model,
            self.start,
            session.schedule,
            self.rows.guided_by(session.settings.guider),
            walk=self.walk,
            stepping=session.stepping(self.stepping),
            guidance=self.guidance,
            controllers=self.controllers,
            residuals=self.residuals,
            callbacks=self.callbacks,
            on_step=session.steps_of("drawing"),
        )


def always(value: Tensor) -> Callable[[Tensor], Tensor]:
    """A change of a module's output to this one."""
    return lambda output: value.to(output)
