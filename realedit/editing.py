"""One edit of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.anchors import Anchor, known_latents
from realedit.compositing import composite, layers_of, regions_of, to_cells
from realedit.edits import Edit
from realedit.energies import placement_energies
from realedit.faithfulness import Perceptual
from realedit.finding import find_object
from realedit.guidance import Guidance
from realedit.images import Photo, resize
from realedit.inverting import Seen, reconstruct, rows_of, see
from realedit.looking import look
from realedit.paste import Canvas, paste_back
from realedit.planning import Plan, make_plan
from realedit.report import EditReport, GuidanceReport, report_on
from realedit.sampler import sample
from realedit.settings import DEFAULTS, Settings

TOUCHED = 0.01  # share of a cell from which it counts as touched


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked: the edit, on which photo, and where its object is if the user said so.

    `mask` (1, 1, H, W) overrides what the words attend to."""

    photo: Photo
    prompt: str
    edit: Edit
    mask: Tensor | None = None
    method: str = "null-text"


@dataclass(frozen=True, eq=False)
class Edited:
    """The result, the mask (1, 1, H, W) of what may differ from the photo, the report, and pictures of
    the way there (1, 3 or 1, h, w)."""

    photo: Photo
    touched: Tensor
    report: EditReport
    work: dict[str, Tensor]


def _silent(label: str) -> None:
    """Report progress to nobody."""


def edit_photo(
    model: DiffusionModel,
    task: Task,
    perceptual: Perceptual,
    settings: Settings = DEFAULTS,
    on_step: Callable[[str], None] = _silent,
) -> Edited:
    """Make one edit.

    Raises:
        PhraseError: the prompt does not name the edit's object exactly once.
        EditError: the object is not found, or would leave the photo.
    """
    began = time.perf_counter()
    words = model.positions(task.prompt, task.edit.object)
    photo = task.photo.tensor()
    with model.metered() as meter:
        seen = see(model, photo, task.prompt, settings, task.method, lambda i: on_step("inverting"))
        source = find_object(photo, seen, words, task.edit.object, task.mask)
        plan = make_plan(
            model, seen, task.edit, words, source, task.mask is not None, settings, lambda i: on_step("clearing")
        )
        rough = composite(seen.small, plan.layers, plan.regions, plan.placement)
        guidance = guidance_of(seen, plan, settings)
        generated = regenerate(model, seen, plan, rough, guidance, settings, lambda i: on_step("editing"))
        result, touched = paste(model, task.photo, source, plan, generated, settings)
        after = resize(task.photo.with_rgb(result).tensor(), (seen.small.shape[-1], seen.small.shape[-2]))
        sight = look(model, after, task.prompt, task.edit.object, settings) if plan.words else None
        rebuilt = reconstruct(model, seen.reference)
    report = report_on(
        before=task.photo,
        after=result,
        touched=touched,
        target=plan.regions.target,
        reconstruction=(seen.small, rebuilt),
        sight=sight,
        perceptual=perceptual,
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        from_cache=seen.from_cache,
        words_used=bool(plan.words),
        guidance=_told(guidance),
    )
    work = {
        "object": plan.regions.source,
        "plate": plan.layers.plate,
        "shadow": plan.layers.shadow,
        "rough": rough,
        "hole": plan.regions.hole,
        "touched": plan.regions.touched,
        "generated": generated,
        "reconstruction": rebuilt,
    }
    return Edited(task.photo.with_rgb(result), touched, report, work)


def guidance_of(seen: Seen, plan: Plan, settings: Settings) -> Guidance | None:
    """The edit's energies, for the steps in which the surroundings of the object are free; None where
    the model does not know the object."""
    if not plan.words or settings.strength.most == 0:
        return None
    energy = placement_energies(
        seen.reference, plan.words, plan.others, plan.placement, plan.regions.vacated, settings.weights
    )
    begin, end = settings.surroundings_until, settings.guided_until
    region = to_cells(plan.regions.touched, seen.reference.pivots, TOUCHED)
    return Guidance(energy, region, settings.strength, settings.tolerance, begin, end)


def _told(guidance: Guidance | None) -> GuidanceReport | None:
    if guidance is None or not guidance.measured:
        return None
    first, last = guidance.measured[0].energy, guidance.measured[-1].energy
    return GuidanceReport(first, last, guidance.tolerance, guidance.current)


def regenerate(
    model: DiffusionModel,
    seen: Seen,
    plan: Plan,
    rough: Tensor,
    guidance: Guidance | None,
    settings: Settings,
    on_step: Callable[[int], None],
) -> Tensor:
    """Sample the edited picture (1, 3, h, w) at the model's size."""
    reference, regions = seen.reference, plan.regions
    schedule = model.schedule(len(reference.header.timesteps))
    photo, known = model.encode(seen.small), model.encode(rough)
    object_cells = to_cells(regions.target, photo, 0.5)
    touched_cells = to_cells(regions.touched, photo, TOUCHED)
    levels = known_latents(
        reference.pivots.to(model.device),
        photo,
        known,
        schedule,
        plan.placement,
        object_cells,
        to_cells(regions.hole, photo, 0.5),
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.ones_like(touched_cells)
    if plan.words:  # what the model does not know it must not repaint
        free = (touched_cells > 0.5) & (object_cells < 0.5)
        until = torch.where(free, settings.surroundings_until, until)
    rows, anchor = rows_of(model, reference), Anchor(levels, until)
    first = anchor.released
    start = levels[first][None]
    latent = sample(model, start, schedule, rows, first=first, guidance=guidance, edits=[anchor], on_step=on_step)
    return model.decode(latent).cpu()


def paste(
    model: DiffusionModel, photo: Photo, source: Tensor, plan: Plan, generated: Tensor, settings: Settings
) -> tuple[np.ndarray, Tensor]:
    """The result (H, W, 3) at the photo's own size and the mask of what was touched there; the
    object's pixels come from the photo itself."""
    layers = layers_of(photo.tensor(), source, *(resize(part, photo.size) for part in plan.layers.behind))
    regions = regions_of(source, layers, plan.placement, settings.margin)
    whole = composite(photo.tensor(), layers, regions, plan.placement)
    canvas = Canvas(photo.rgb, whole, regions.touched)
    return paste_back(model, canvas, generated, settings.feather), regions.touched
