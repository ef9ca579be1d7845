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
from realedit.editing import decomposition
from realedit.geometry import camera_estimation, object_pose
from realedit.geometry.camera import Camera
from realedit.geometry.transform import IDENTITY_MATRIX
from realedit.inpainting import clean_plate
from realedit.inpainting.completion import Completion, complete
from realedit.inpainting.fill import fill_smoothly
from realedit.settings import DEFAULTS, Settings

Replacement = tuple[Any, str, Any]  # where, what, by what


@dataclass(frozen=True)
class Variant:
    """The program with something changed: settings, the inversion, or a function replaced."""

    settings: Settings = DEFAULTS
    replaced: tuple[Replacement, ...] = ()


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


FLAT: Replacement = (object_pose, "LARGEST_RESIDUAL", 0.0)


VARIANTS: dict[str, Variant] = {
    "everything": Variant(),
    "DDIM instead": Variant(replace(DEFAULTS, method="ddim")),
    "negative-prompt instead": Variant(replace(DEFAULTS, method="negative-prompt")),
    "no second, tight plate": Variant(replaced=((decomposition, "covered_region", _whole_wide_hole),)),
    "no model in the plate": Variant(replaced=((decomposition, "clean_plate", _undrawn_plate),)),
    "no copies kept in the plate": Variant(replaced=((clean_plate, "complete", _all_drawn),)),
    "smooth for what repeats": Variant(replaced=((clean_plate, "complete", _smooth),)),
    "masks as found": Variant(replaced=((decomposition, "without_shadow", lambda photo, plate, mask, others: mask),)),
    "a camera by lines alone": Variant(replaced=((camera_estimation, "silhouette_likelihood", _says_nothing),)),
    "no matting": Variant(replaced=((layers, "estimate_matte", lambda photo, mask: (photo, mask)),)),
    "no shadow": Variant(replaced=((separation, "object_effects", _none_left),)),
    "turned as if flat": Variant(replaced=(FLAT,)),
    "no turning": Variant(replaced=(FLAT, (Camera, "view_change", lambda camera, here, there: IDENTITY_MATRIX))),
}


@contextmanager
def replacing(replacements: tuple[Replacement, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.enter_context(patch.object(owner, name, value))
        yield
