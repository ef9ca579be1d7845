"""Which system is meant by each engine's value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realedit.engines import (
    Asyrp,
    BoundaryDiffusion,
    DiffuseIT,
    Drag,
    GuideAndRescale,
    Pix2PixZero,
    PlugAndPlay,
    PromptToPrompt,
    SDEdit,
)
from realedit.methods.asyrp import asyrp
from realedit.methods.boundary_diffusion import boundary_diffusion
from realedit.methods.diffuse_it import diffuse_it
from realedit.methods.direction import Direction
from realedit.methods.direction_use import direction_of
from realedit.methods.drag import check_points, drag
from realedit.methods.guide_and_rescale import check_guider, guide_and_rescale
from realedit.methods.pix2pix_zero import pix2pix_zero, sentences
from realedit.methods.plug_and_play import plug_and_play
from realedit.methods.prompt_to_prompt import check_words, prompt_to_prompt
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.methods.sdedit import check_strength, sdedit
from realedit.sampling.session import Session


@dataclass(frozen=True)
class System:
    """How an engine's value becomes a `run` of the sampler, and whether the result `keeps` the photo's structure, to
    which the photo's own fine detail then still belongs. `check`: raises, before anything slow is done, what the texts
    (the photo's prompt, the new words) or the steps leave impossible."""

    run: Callable[[Task, Any], SamplerRun]
    keeps: bool
    check: Callable[[Session, tuple[str, str], Any], object]


def check_direction(session: Session, texts: tuple[str, str], engine: Asyrp | BoundaryDiffusion) -> Direction:
    """Raises what `direction_of` does."""
    return direction_of(session, engine.direction)


def nothing(session: Session, texts: tuple[str, str], engine: Any) -> None:
    """Everything is possible."""


SYSTEMS: dict[type, System] = {
    SDEdit: System(sdedit, keeps=False, check=check_strength),
    PromptToPrompt: System(prompt_to_prompt, keeps=True, check=check_words),
    PlugAndPlay: System(plug_and_play, keeps=True, check=nothing),
    Pix2PixZero: System(pix2pix_zero, keeps=True, check=sentences),
    DiffuseIT: System(diffuse_it, keeps=False, check=nothing),
    GuideAndRescale: System(guide_and_rescale, keeps=True, check=check_guider),
    Drag: System(drag, keeps=False, check=check_points),
    Asyrp: System(asyrp, keeps=True, check=check_direction),
    BoundaryDiffusion: System(boundary_diffusion, keeps=False, check=check_direction),
}
