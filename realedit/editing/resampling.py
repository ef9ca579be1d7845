"""Draw new looks into a composite: which cells the sampler may draw from when on."""

import torch
from torch import Tensor

from realedit.compositing.composite import Composite
from realedit.editing.conditioning import SamplingPlan
from realedit.morphology import dilate
from realedit.sampling.classifier import covered_cells
from realedit.sampling.inverted_image import InvertedImage, latent_path
from realedit.sampling.latent_blending import LatentBlend, cells_of, noised_composite
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session

MOSTLY = 0.5  # share of a cell from which it belongs to what covers it


def resample(session: Session, inverted: InvertedImage, composite: Composite, plan: SamplingPlan) -> Tensor:
    """Sample the edited picture (1, 3, h, w) at the model's size: all but new looks is held to the composite."""
    model, settings = session.model, session.settings
    path = latent_path(session, inverted)
    hole = cells_of(composite.hole, path.photo, MOSTLY)
    levels = noised_composite(path, model.encode(plan.image), hole, settings.seed)
    until = torch.ones_like(path.photo[:, :1])
    for change, placed in zip(plan.changes, composite.objects, strict=True):
        if change is not None and change.generated:
            cells = covered_cells(dilate(placed.target, settings.margin), path.photo)
            until = torch.where(cells > 0.5, settings.look_from, until)
    blend = LatentBlend(levels, until)
    latent = sample(
        model,
        levels[blend.released][None],
        path.schedule,
        plan.conditioning,
        walk=path.schedule.walk(blend.released),
        guidance=plan.guidance,
        callbacks=[blend],
        preview=session.preview(plan.trace.preview if plan.trace else None),
        on_step=session.steps_of("sampling"),
    )
    return model.decode(latent).cpu()
