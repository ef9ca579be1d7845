"""One edit of one photo, from the pixels to the pixels: the whole flow in the order of the plan."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from inversion.reference import Reference
from realedit.anchors import Anchor, known_latents
from realedit.compositing import Regions, composite, regions_of, to_cells
from realedit.edits import Edit, Placement
from realedit.energies import object_shape, placement_energies, words_of
from realedit.faithfulness import Perceptual
from realedit.guidance import Guidance
from realedit.images import Photo, resize
from realedit.inverting import Seen, reconstruct, rows_of, see
from realedit.looking import look
from realedit.masks import attention_mask, mask_box, mask_centre, object_mask
from realedit.paste import Canvas, paste_back
from realedit.report import EditReport, report_on
from realedit.sampler import sample
from realedit.settings import DEFAULTS, Settings

TRUST = 0.25  # overlap (IoU) of a given mask with the words' attention below which words are not used
COMPACT = 0.3  # of the frame: words that cover more are surroundings, not objects to be kept


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
    """The result (H, W, 3) uint8, the report, and pictures of the way there (1, 3, h, w)."""

    photo: Photo
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
    with model.metered() as meter:
        seen = see(model, task.photo.tensor(), task.prompt, settings, task.method, lambda i: on_step("inverting"))
        source = find_object(seen, words, task)
        placement = task.edit.placement(mask_centre(source), mask_box(source))
        regions = regions_of(source, placement, settings.margin, settings.reach)
        trusted = _overlap(seen.reference, words, source) >= TRUST
        generated, work = regenerate(
            model, seen, task, words if trusted else (), placement, regions, settings, lambda i: on_step("editing")
        )
        result = _paste(model, task.photo, seen, placement, regions, generated, settings)
        after = resize(task.photo.with_rgb(result).tensor(), (seen.small.shape[-1], seen.small.shape[-2]))
        sight = look(model, after, task.prompt, task.edit.object, settings) if trusted else None
        rebuilt = reconstruct(model, seen.reference)
    report = report_on(
        before=task.photo,
        after=result,
        touched=_full(regions.touched, task.photo),
        target=regions.target,
        reconstruction=(seen.small, rebuilt),
        sight=sight,
        perceptual=perceptual,
        evaluations=meter.forward_equivalents,
        seconds=time.perf_counter() - began,
        from_cache=seen.from_cache,
        words_used=trusted,
    )
    return Edited(task.photo.with_rgb(result), report, work | {"reconstruction": rebuilt, "source": source})


def find_object(seen: Seen, words: tuple[int, ...], task: Task) -> Tensor:
    """The object's pixels (1, 1, h, w) at the model's size: as given, or where the words attend."""
    size = (seen.small.shape[-1], seen.small.shape[-2])
    if task.mask is not None:
        found = (resize(task.mask, size) > 0.5).float()
        if not found.any():
            raise EditError("the object's mask is too small to be seen at the model's size; mark a larger area")
        return found
    return object_mask(seen.small, attention_mask(seen.reference, words, size), task.edit.object)


def regenerate(
    model: DiffusionModel,
    seen: Seen,
    task: Task,
    words: tuple[int, ...],
    placement: Placement,
    regions: Regions,
    settings: Settings,
    on_step: Callable[[int], None],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Sample the edited picture (1, 3, h, w) at the model's size."""
    reference = seen.reference
    schedule = model.schedule(len(reference.header.timesteps))
    rough = composite(seen.small, regions, placement, _soft(regions.source))
    photo, known = model.encode(seen.small), model.encode(rough)
    object_cells = to_cells(regions.target, photo, 0.5)
    hole_cells = to_cells(regions.hole, photo, 0.5)
    touched_cells = to_cells(regions.touched, photo, 0.01)
    levels = known_latents(
        reference.pivots.to(model.device),
        photo,
        known,
        schedule,
        placement,
        object_cells,
        hole_cells,
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.where(touched_cells > 0.5, settings.fill_until, 1.0)
    until = torch.where(object_cells > 0.5, settings.object_until, until)
    guidance = None
    if words and settings.strength > 0:
        others = kept_objects(model, reference, task)
        energy = placement_energies(reference, words, others, placement, regions.vacated, settings.weights)
        guidance = Guidance(energy, touched_cells, settings.strength, settings.tolerance, settings.guided_until)
    latent = sample(
        model,
        levels[:1],
        schedule,
        rows_of(model, reference),
        guidance=guidance,
        edits=[Anchor(levels, until)],
        on_step=on_step,
    )
    return model.decode(latent).cpu(), {"rough": rough, "hole": regions.hole, "touched": regions.touched}


def kept_objects(model: DiffusionModel, reference: Reference, task: Task) -> list[tuple[int, ...]]:
    """The words of the prompt's other objects: phrases whose attention is compact."""
    kept = []
    prompt = reference.header.prompt
    named = set(model.positions(prompt, task.edit.object))
    for phrase in phrases(prompt):
        if prompt.lower().count(phrase.lower()) != 1:
            continue
        words = model.positions(prompt, phrase)
        if not named & set(words):
            shapes = object_shape(words_of(reference.attention, words))
            if (shapes > 0.5).float().mean() < COMPACT:
                kept.append(words)
    return kept


def _overlap(reference: Reference, words: tuple[int, ...], source: Tensor) -> float:
    size = (source.shape[-1], source.shape[-2])
    attended = attention_mask(reference, words, size) > 0.5
    inside = source > 0.5
    return float((attended & inside).sum() / (attended | inside).sum())


def _soft(mask: Tensor) -> Tensor:
    """A mask whose edge is one pixel soft, towards the inside."""
    inner = F.avg_pool2d(F.pad(mask, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return inner * mask


def _full(mask: Tensor, photo: Photo) -> Tensor:
    return (resize(mask, photo.size) > 0.5).float()


def _paste(
    model: DiffusionModel,
    photo: Photo,
    seen: Seen,
    placement: Placement,
    regions: Regions,
    generated: Tensor,
    settings: Settings,
) -> np.ndarray:
    """The result at the photo's own size; the object's pixels come from the photo itself."""
    full = Regions(**{name: _full(mask, photo) for name, mask in vars(regions).items()})
    alpha = _soft(full.source)
    whole = composite(photo.tensor(), full, placement, alpha)
    canvas = Canvas(photo.rgb, whole, 1 - full.hole, full.touched)
    return paste_back(model, canvas, generated, settings.feather)
