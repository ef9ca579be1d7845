"""Sample the edited picture: which cells the sampler may draw from when on."""

import torch
from torch import Tensor

from realedit.compositing.composite import Composite
from realedit.compositing.scene import LayeredScene
from realedit.editing.conditioning import SamplingPlan
from realedit.geometry.transform import IDENTITY
from realedit.geometry.warp import warp
from realedit.morphology import dilate
from realedit.sampling.classifier import covered_cells
from realedit.sampling.inverted_image import InvertedImage, latent_path
from realedit.sampling.latent_blending import (
    LatentBlend,
    ResidualCorrection,
    cells_of,
    noised_composite,
    touched_cells,
)
from realedit.sampling.sampler import LatentCallback, sample
from realedit.sampling.session import Session

MOSTLY = 0.5  # share of a cell from which it belongs to what covers it


def resample(
    session: Session, inverted: InvertedImage, scene: LayeredScene, composite: Composite, plan: SamplingPlan
) -> Tensor:
    """Sample the edited picture (1, 3, h, w) at the model's size."""
    model, settings = session.model, session.settings
    path = latent_path(session, inverted)
    known, photo = model.encode(plan.image), path.photo
    transported = [
        (placement, cells_of((warp(edit.mask, placement) > 0.5).float(), photo, MOSTLY))
        for edit in scene.objects
        for placement in edit.placements
        if placement != IDENTITY
    ]
    levels = noised_composite(path, known, cells_of(composite.hole, photo, MOSTLY), transported, settings.seed)
    blend = LatentBlend(levels, _held_until(session, scene, composite, plan, photo))
    callbacks: list[LatentCallback] = [blend]
    residuals = inverted.reference.residuals
    if residuals is not None and not plan.generates:  # they belong to the photo's own words
        kept = 1 - touched_cells(composite.editable, photo)
        callbacks.insert(0, ResidualCorrection(residuals, kept, blend.released))
    latent = sample(
        model,
        levels[blend.released][None],
        path.schedule,
        plan.conditioning,
        first=blend.released,
        guidance=plan.guidance,
        callbacks=callbacks,
        on_step=session.steps_of("sampling"),
    )
    return model.decode(latent).cpu()


def _held_until(
    session: Session, scene: LayeredScene, composite: Composite, plan: SamplingPlan, photo: Tensor
) -> Tensor:
    """The fraction of the schedule (1, 1, h, w) up to which each cell is held to the composite."""
    settings = session.settings
    until = torch.ones_like(photo[:, :1])
    free = (touched_cells(composite.moved, photo) > 0.5) & (cells_of(composite.covered, photo, MOSTLY) < 0.5)
    until = torch.where(free, settings.surroundings_until, until)
    for change, placed in zip(plan.changes, composite.objects, strict=True):
        if change is not None and change.generated:
            cells = covered_cells(dilate(placed.target, settings.margin), photo)
            until = torch.where(cells > 0.5, settings.look_from, until)
    return until
