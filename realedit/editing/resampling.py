"""Sample the edited picture: which cells the sampler may draw from when on."""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.compositing.composite import Stage
from realedit.editing.conditioning import Script
from realedit.editing.decomposition import Plan
from realedit.geometry.transform import STAY
from realedit.geometry.warp import warp
from realedit.morphology import grow
from realedit.sampling.classifier import DRESSED
from realedit.sampling.inverted_image import Seen
from realedit.sampling.latent_blending import TOUCHED, Anchor, Residuals, known_latents, to_cells
from realedit.sampling.sampler import LatentEdit, sample
from realedit.settings import Settings


def regenerate(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    stage: Stage,
    script: Script,
    settings: Settings,
    on_step: Callable[[int], None],
) -> Tensor:
    """Sample the edited picture (1, 3, h, w) at the model's size."""
    reference = seen.reference
    schedule = model.schedule(len(reference.header.timesteps))
    photo, known = model.encode(seen.small), model.encode(script.rough)
    moved = [
        (placement, to_cells((warp(source, placement) > 0.5).float(), photo, 0.5))
        for subject, source in zip(plan.cast.subjects, plan.cast.sources, strict=True)
        for placement in subject.placements
        if placement != STAY
    ]
    dressed = [to_cells(grow(stage.targets[k], settings.margin), photo, DRESSED) for k in script.drawn]
    levels = known_latents(
        reference.pivots.to(model.device),
        photo,
        known,
        schedule,
        moved,
        to_cells(stage.hole, photo, 0.5),
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.ones_like(photo[:, :1])
    if plan.known:  # what the model does not know it must not repaint
        free = (to_cells(stage.moved, photo, TOUCHED) > 0.5) & (to_cells(stage.objects, photo, 0.5) < 0.5)
        until = torch.where(free, settings.surroundings_until, until)
    for cells in dressed:
        until = torch.where(cells > 0.5, settings.look_from, until)
    anchor = Anchor(levels, until)
    first = anchor.released
    start = levels[first][None]
    edits: list[LatentEdit] = [anchor]
    if reference.residuals is not None and not script.drawn:  # they belong to the photo's own words
        kept = 1 - to_cells(stage.touched, photo, TOUCHED)
        edits.insert(0, Residuals(reference.residuals, kept, first))
    latent = sample(
        model, start, schedule, script.rows, first=first, guidance=script.guidance, edits=edits, on_step=on_step
    )
    return model.decode(latent).cpu()
