"""How well a picture shows what words say, as the model sees it."""

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule, ddim_step
from inversion.text import Embedding
from realedit.compositing import to_cells
from realedit.settings import Settings

DRESSED = 0.25  # share of a cell from which it counts as part of an object that gets a new look
GLANCES = 6
NOISE = (0.45, 0.95)  # the fractions of the schedule between which the glances lie: late ones tell materials apart


@torch.no_grad()
def fit(
    model: DiffusionModel,
    picture: Tensor,
    mask: Tensor,
    words: tuple[Embedding, Embedding],
    schedule: Schedule,
    settings: Settings,
) -> float:
    """How much better than the old `words` the new ones predict the noise added to a picture (1, 3, h, w),
    within a mask: the share of the error that they save (a diffusion classifier, Li et al., arXiv
    2303.16203). 0 if they say no more of it."""
    latent = model.encode(picture)
    cells = to_cells(mask, latent, DRESSED)
    generator = torch.Generator().manual_seed(settings.seed)
    saved = []
    for glance in range(GLANCES):
        done = NOISE[0] + (NOISE[1] - NOISE[0]) * glance / (GLANCES - 1)
        i = min(len(schedule) - 1, round(done * len(schedule)))
        noise = torch.randn(latent.shape, generator=generator).to(latent.device)
        z = ddim_step(latent, noise, schedule.alpha_from[i])
        outputs = model.predict(z, schedule.timesteps[i], list(words))
        old, new = (
            float(
                (
                    (schedule.parameterisation.split(o[None], z, schedule.alpha_from[i])[1] - noise).square() * cells
                ).sum()
            )
            for o in outputs
        )
        saved.append((old - new) / max(old, 1e-9))
    return sum(saved) / len(saved)
