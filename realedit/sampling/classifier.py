"""How well a picture shows what words say, as the model sees it."""

import torch
from torch import Tensor

from inversion.text import Embedding
from realedit.sampling.latent_blending import cells_of
from realedit.sampling.noising import noised_latents
from realedit.sampling.session import Session

COVERED_SHARE = 0.25  # share of a cell from which it counts as part of an object that gets a new appearance
SCORED_LEVELS = 0.45, 0.55, 0.65, 0.75, 0.85, 0.95  # fractions of the schedule; late ones tell materials apart


@torch.no_grad()
def classifier_score(session: Session, picture: Tensor, mask: Tensor, texts: tuple[Embedding, Embedding]) -> float:
    """How much better than the old of the `texts` the new one predicts the noise added to a picture (1, 3, h, w),
    within a mask (1, 1, h, w): the share of the error that it saves (a diffusion classifier, Li et al., arXiv
    2303.16203). 0 if it says no more of it."""
    latent, schedule = session.model.encode(picture), session.schedule
    cells = covered_cells(mask, latent)
    saved = []
    for noised in noised_latents(latent, schedule, SCORED_LEVELS, session.settings.seed):
        outputs = session.model.predict(noised.z, noised.timestep, list(texts))
        predicted = [schedule.parameterisation.split(o[None], noised.z, noised.alpha)[1] for o in outputs]
        old, new = (float(((noise - noised.noise).square() * cells).sum()) for noise in predicted)
        saved.append((old - new) / max(old, 1e-9))
    return sum(saved) / len(saved)


def covered_cells(mask: Tensor, latent: Tensor) -> Tensor:
    """The cells (1, 1, h, w) of a latent that count as part of an object with this mask (1, 1, H, W)."""
    return cells_of(mask, latent, COVERED_SHARE)
