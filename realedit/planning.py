"""An edit made concrete: what goes where at the model's size, before anything is sampled anew."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from realedit.compositing import Layers, Regions, around, covered, cut_out, regions_of, take_apart
from realedit.edits import Edit, Placement
from realedit.finding import at_model_size, known_to_model, other_objects, union
from realedit.inverting import Seen
from realedit.masks import mask_box, mask_centre
from realedit.paste import grow
from realedit.plate import clean_plate, surroundings
from realedit.settings import Settings


@dataclass(frozen=True, eq=False)
class Plan:
    """An edit made concrete at the model's size: what goes where, and which words may guide it."""

    placement: Placement
    layers: Layers
    regions: Regions
    words: tuple[int, ...]
    others: list[tuple[int, ...]]


def make_plan(
    model: DiffusionModel,
    seen: Seen,
    edit: Edit,
    words: tuple[int, ...],
    source: Tensor,
    given: bool,
    settings: Settings,
    on_step: Callable[[int], None],
) -> Plan:
    """Decide what goes where; `source` (1, 1, H, W) is the object in the photo at its own
    size, `given` whether the user said so."""
    placement = edit.placement(mask_centre(source), mask_box(source))
    mask = at_model_size(source, seen)
    others = other_objects(model, seen, edit.object)
    known = known_to_model(seen.reference, words, mask, given=given)
    if known:
        beside = union([o.mask for o in others], mask) * (1 - mask)
        prompt = surroundings(seen.reference.header.prompt, [edit.object, *(o.phrase for o in others)])
        # First a wide hole, to learn how far the shadow goes; then only what object and shadow cover.
        hole = grow(around(mask, settings.reach), settings.margin) * (1 - beside)
        plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
        hole = grow(covered(seen.small, plate, mask), settings.margin) * (1 - beside)
        plate = clean_plate(model, seen, prompt, hole, beside, settings, on_step)
        layers = take_apart(seen.small, plate, mask, settings.margin)
    else:
        layers = cut_out(seen.small, mask, settings.margin)
    return Plan(
        placement=placement,
        layers=layers,
        regions=regions_of(mask, layers, placement, settings.margin),
        words=words if known else (),
        others=[o.words for o in others],
    )
