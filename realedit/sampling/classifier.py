"""How well a picture shows what words say, as the model sees it."""

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule
from inversion.text import Embedding
from realedit.sampling.latent_blending import cells_of
from realedit.sampling.noising import noised_latents
from realedit.settings import Settings

COVERED_SHARE = 0.25  # share of a cell from which it counts as part of an object that gets a new look
SCORED_LEVELS = (
    0.45,
    0.55,
    0.65,
    0.75,
    0.85,
    0.95,
)  # the fractions of the schedule of the glances: late ones tell materials apart


@torch.no_grad()
def classifier_score(
    model: DiffusionModel,
    picture: Tensor,
    mask: Tensor,
    texts: tuple[Embedding, Embedding],
    schedule: Schedule,
    settings: Settings,
) -> float:
    """How much better than the old `texts` the new ones predict the noise added to a picture (1, 3, h, w),
    within a mask: the share of the error that they save (a diffusion classifier, Li et al., arXiv
    2303.16203). 0 if they say no more of it."""
    latent = model.encode(picture)
    cells = cells_of(mask, latent, COVERED_SHARE)
    saved = []
    for glance in noised_latents(latent, schedule, SCORED_LEVELS, settings.seed):
        outputs = model.predict(glance.z, glance.timestep, list(texts))
        predicted = [schedule.parameterisation.split(o[None], glance.z, glance.alpha)[1] for o in outputs]
        old, new = (float(((noise - glance.noise).square() * cells).sum()) for noise in predicted)
        saved.append((old - new) / max(old, 1e-9))
    return sum(saved) / len(saved)
