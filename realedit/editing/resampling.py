"""Sample the edited picture: which cells the sampler may draw from when on."""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.compositing.composite import Composite
from realedit.editing.conditioning import SamplingPlan
from realedit.editing.decomposition import Plan
from realedit.geometry.transform import IDENTITY
from realedit.geometry.warp import warp
from realedit.morphology import dilate
from realedit.sampling.classifier import COVERED_SHARE
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.latent_blending import TOUCHED_SHARE, LatentBlend, ResidualCorrection, cells_of, noised_composite
from realedit.sampling.sampler import LatentCallback, sample
from realedit.settings import Settings


def resample(
    model: DiffusionModel,
    seen: InvertedImage,
    plan: Plan,
    stage: Composite,
    script: SamplingPlan,
    settings: Settings,
    on_step: Callable[[int], None],
) -> Tensor:
    """Sample the edited picture (1, 3, h, w) at the model's size."""
    reference = seen.reference
    schedule = model.schedule(len(reference.header.timesteps))
    photo, known = model.encode(seen.image), model.encode(script.rough)
    moved = [
        (placement, cells_of((warp(source, placement) > 0.5).float(), photo, 0.5))
        for subject, source in zip(plan.cast.subjects, plan.cast.sources, strict=True)
        for placement in subject.placements
        if placement != IDENTITY
    ]
    dressed = [cells_of(dilate(stage.targets[k], settings.margin), photo, COVERED_SHARE) for k in script.drawn]
    levels = noised_composite(
        reference.pivots.to(model.device),
        photo,
        known,
        schedule,
        moved,
        cells_of(stage.hole, photo, 0.5),
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.ones_like(photo[:, :1])
    if plan.known:  # what the model does not know it must not repaint
        free = (cells_of(stage.moved, photo, TOUCHED_SHARE) > 0.5) & (cells_of(stage.objects, photo, 0.5) < 0.5)
        until = torch.where(free, settings.surroundings_until, until)
    for cells in dressed:
        until = torch.where(cells > 0.5, settings.look_from, until)
    anchor = LatentBlend(levels, until)
    first = anchor.released
    start = levels[first][None]
    edits: list[LatentCallback] = [anchor]
    if reference.residuals is not None and not script.drawn:  # they belong to the photo's own words
        kept = 1 - cells_of(stage.touched, photo, TOUCHED_SHARE)
        edits.insert(0, ResidualCorrection(reference.residuals, kept, first))
    latent = sample(
        model, start, schedule, script.rows, first=first, guidance=script.guidance, callbacks=edits, on_step=on_step
    )
    return model.decode(latent).cpu()
