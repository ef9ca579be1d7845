"""The program with one ingredient left out: settings changed, or functions replaced."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from realedit.compositing import layers, separation
from realedit.compositing.effects import Effects
from realedit.editing import conditioning, decomposition, resampling, sampled_edit
from realedit.geometry import camera_estimation, object_pose
from realedit.geometry.camera import Camera
from realedit.geometry.transform import IDENTITY_MATRIX
from realedit.images import resize
from realedit.inpainting import clean_plate
from realedit.inpainting.completion import Completion, complete
from realedit.inpainting.fill import fill_smoothly
from realedit.sampling.guidance import Guidance
from realedit.settings import DEFAULTS, Settings, Strength
from tests.benchmarks import rows
from tests.benchmarks.shared_steps import STEPS
from tests.benchmarks.textbook import PublishedRule

Replacement = tuple[Any, str, Any]  # where, what, by what


@dataclass(frozen=True)
class Variant:
    """The program with something changed: settings, the inversion, or a function replaced. `shared` names the steps
    that it leaves as they are, which need not be made again where what they are given is the same."""

    settings: Settings = DEFAULTS
    replaced: tuple[Replacement, ...] = ()
    shared: tuple[str, ...] = ()


def _unnormalised(
    energy: Any, region: Tensor, strength: Strength, tolerance: float, begin: float, until: float
) -> Guidance:
    """Guidance in its own window, with the gradient as the paper adds it."""
    guidance = Guidance(energy, region, strength, tolerance, begin, until)
    published = PublishedRule(energy, rows.TUNED_V)
    with_shift = type("Unnormalised", (Guidance,), {"shift": lambda self, g, n, ab: region * published.shift(g, n, ab)})
    return with_shift(*(getattr(guidance, f) for f in guidance.__dataclass_fields__))


def _whole_wide_hole(photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor]) -> Tensor:
    return separation.union([separation.around(source, DEFAULTS.reach) for source in sources], photo)


def _none_left(
    photo: Tensor, plate: Tensor, sources: Sequence[Tensor], staying: Sequence[Tensor] = ()
) -> list[Effects]:
    return [Effects.none(source) for source in sources]


def _undrawn_plate(session: Any, inverted: Any, prompt: str, hole: Tensor, others: Tensor) -> Tensor:
    return complete(inverted.image, hole, others).image


def _says_nothing(outline: Any, camera: Camera) -> np.ndarray:
    return np.zeros_like(camera_estimation.PITCHES)


def _all_drawn(photo: Tensor, hole: Tensor, others: Tensor) -> Completion:
    found = complete(photo, hole, others)
    return replace(found, confidence=torch.zeros_like(found.confidence))


def _smooth(photo: Tensor, hole: Tensor, others: Tensor) -> Completion:
    smooth = torch.where(hole > 0.5, fill_smoothly(photo, torch.maximum(hole, others)), photo)
    return Completion(smooth, torch.zeros_like(hole))


def _noise_where_it_was(path: Any, composite: Tensor, hole: Tensor, transported: Any, seed: int) -> Tensor:
    return NOISED_COMPOSITE(path, composite, hole, (), seed)


def _generated_alone(session: Any, photo: Any, scene: Any, drawn: Any, generated: Tensor, changes: Any) -> Any:
    _, composite = RENDER(session, photo, scene, drawn, generated, changes)
    everywhere = torch.ones_like(composite.editable)
    picture = photo.painted(resize(generated, photo.size), everywhere)
    return picture, replace(composite, editable=everywhere)


NOISED_COMPOSITE, RENDER = resampling.noised_composite, sampled_edit.render_full_resolution
OFF = Strength(0.0, 0.0, 0.0)
EVERY_STEP = tuple(STEPS)
LOOKING = ("recognition", "inversion", "camera", "completion")
UP_TO_PLATE = (*LOOKING, "preparation", "plate", "placement")
FLAT: Replacement = (object_pose, "LARGEST_RESIDUAL", 0.0)


def weighing(**weights: float) -> Variant:
    return sampled_otherwise(replace(DEFAULTS, weights=replace(DEFAULTS.weights, **weights)))


def sampled_otherwise(settings: Settings = DEFAULTS, *replaced: Replacement) -> Variant:
    """Nothing differs before the final sampling."""
    return Variant(settings, replaced, EVERY_STEP)


VARIANTS: dict[str, Variant] = {
    "everything": sampled_otherwise(),
    "no null-text (DDIM)": Variant(replace(DEFAULTS, method="ddim"), shared=LOOKING),
    "negative-prompt instead": Variant(replace(DEFAULTS, method="negative-prompt"), shared=LOOKING),
    "no second, tight plate": Variant(
        replaced=((decomposition, "covered_region", _whole_wide_hole),), shared=UP_TO_PLATE
    ),
    "no model in the plate": Variant(replaced=((decomposition, "clean_plate", _undrawn_plate),)),
    "no copies kept in the plate": Variant(replaced=((clean_plate, "complete", _all_drawn),)),
    "smooth for what repeats": Variant(replaced=((clean_plate, "complete", _smooth),)),
    "masks as found": Variant(
        replaced=((decomposition, "without_shadow", lambda photo, plate, mask, others: mask),), shared=UP_TO_PLATE
    ),
    "a camera by lines alone": Variant(replaced=((camera_estimation, "silhouette_likelihood", _says_nothing),)),
    "no matting": Variant(replaced=((layers, "estimate_matte", lambda photo, behind, mask: (photo, mask)),)),
    "no shadow": Variant(replaced=((separation, "object_effects", _none_left),)),
    "turned as if flat": Variant(replaced=(FLAT,)),
    "no turning": Variant(replaced=(FLAT, (Camera, "view_change", lambda camera, here, there: IDENTITY_MATRIX))),
    "no final sampling": sampled_otherwise(replace(DEFAULTS, surroundings_until=1.0, strength=OFF)),
    "no guidance": sampled_otherwise(replace(DEFAULTS, strength=OFF)),
    "no shape term": weighing(shape=0.0),
    "no appearance term": weighing(appearance=0.0),
    "no ghost term": weighing(ghost=0.0),
    "no gradient normalisation": sampled_otherwise(DEFAULTS, (conditioning, "Guidance", _unnormalised)),
    "no pre-shifted latents": sampled_otherwise(DEFAULTS, (resampling, "noised_composite", _noise_where_it_was)),
    "no paste-back": sampled_otherwise(DEFAULTS, (sampled_edit, "render_full_resolution", _generated_alone)),
}


@contextmanager
def replacing(replacements: tuple[Replacement, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.enter_context(patch.object(owner, name, value))
        yield
