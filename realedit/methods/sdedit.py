"""SDEdit (Meng et al., arXiv 2108.01073): noise over the photo, and sampled from there.

The noise is drawn at the level at which sampling begins; what may not change is held to the photo under that same
noise at every level (their algorithm 3). With one repeat and no mask it is diffusers' image-to-image pipeline."""

import torch

from inversion.errors import EditError
from inversion.schedule import ddim_step
from realedit.engines import SDEdit
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.session import Session
from realedit.sampling.stepping import DdimSteps


def check_strength(session: Session, texts: tuple[str, str], engine: SDEdit) -> int:
    """The number of steps that the strength leaves.

    Raises:
        EditError: that is none.
    """
    steps = session.settings.steps
    drawn = int(steps * engine.strength)
    if drawn == 0:
        raise EditError(f"a strength of {engine.strength:g} leaves none of {steps} steps; give a higher one")
    return drawn


def sdedit(task: Task, engine: SDEdit) -> SamplerRun:
    """Raises `EditError` if the strength leaves no step."""
    schedule, latent = task.session.schedule, task.latent
    drawn = check_strength(task.session, (task.prompt, task.words), engine)
    generator = torch.Generator().manual_seed(task.session.settings.seed)
    noise = torch.randn(latent.shape, generator=generator).to(latent.device)
    levels = torch.cat([*(ddim_step(latent, noise, alpha) for alpha in schedule.alpha_from), latent])
    first = len(schedule) - drawn
    return SamplerRun(
        levels[first : first + 1],
        task.rows(engine.guidance_scale),
        tuple(schedule.walk(first)) * engine.repeats,
        DdimSteps(engine.eta, generator),
        callbacks=[task.held(levels)],
    )
