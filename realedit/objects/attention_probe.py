"""Where is an object in a picture that was never inverted? A few noisy looks with the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.taps import tap
from realedit.geometry.boxes import mask_centre
from realedit.geometry.transform import Point
from realedit.objects.segmentation import object_mask, upsampled_attention
from realedit.sampling.attention import phrase_map
from realedit.sampling.noising import noised_latents
from realedit.settings import Settings

PROBED_LEVELS = 0.55, 0.65, 0.75, 0.85  # the fractions of the schedule of the looks


@dataclass(frozen=True)
class Detection:
    """Where the model sees an object: its centre, and its share of the frame."""

    position: Point
    size: float


def detect(
    model: DiffusionModel, photo: Tensor, prompt: str, span: tuple[int, int], settings: Settings
) -> Detection | None:
    """Find the object that the characters [start, end) of a prompt name in a photo (1, 3, h, w) at the
    model's size; None where they attend to nothing in particular. The noise is fixed by the seed."""
    words = model.span_positions(prompt, span)
    try:
        mask = object_mask(photo, probe_attention(model, photo, prompt, words, settings), prompt[slice(*span)])
    except EditError:
        return None
    return Detection(mask_centre(mask), float(mask.mean()))


@torch.no_grad()
def probe_attention(
    model: DiffusionModel,
    photo: Tensor,
    prompt: str,
    tokens: Sequence[int],
    settings: Settings,
    levels: Sequence[float] = PROBED_LEVELS,
) -> Tensor:
    """The soft attention mask (1, 1, h, w) of words of a prompt, averaged over looks at these noise levels."""
    latent, text = model.encode(photo), model.embed(prompt)
    maps = []
    with tap(model.unet, model.sites) as tape:
        for glance in noised_latents(latent, model.schedule(settings.steps), levels, settings.seed):
            model.predict(glance.z, glance.timestep, [text])
            maps.append(phrase_map(tape.attention, tokens))
    return upsampled_attention(torch.cat(maps).cpu(), (photo.shape[-1], photo.shape[-2]))
