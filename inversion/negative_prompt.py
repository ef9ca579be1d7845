"""Negative-prompt inversion (Miyake et al., arXiv 2305.16807): the prompt itself as the unprompted row.

Both rows then predict the same, so guidance of any scale changes nothing and sampling goes back along
the DDIM inversion, for no more than its cost."""

from collections.abc import Callable

from torch import Tensor

from inversion.ddim import Inverted, Watch, silent, unwatched, walk_up
from inversion.model import DiffusionModel
from inversion.schedule import Schedule


def invert(
    model: DiffusionModel,
    latent: Tensor,
    prompt: str,
    schedule: Schedule,
    guidance_scale: float,
    on_step: Callable[[int], None] = silent,
    watch: Watch = unwatched,
) -> Inverted:
    """DDIM inversion, with the prompt's embedding (float32) at every step."""
    cond = model.embed(prompt)
    pivots = walk_up(model, latent, cond, schedule, on_step)
    return Inverted(pivots, cond.repeat(len(schedule)), guidance_scale)
