"""Where is an object in a picture that was never inverted? A few noisy looks with the model."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.schedule import ddim_step
from inversion.taps import tap
from realedit.energies import phrase_map
from realedit.masks import enlarged, mask_centre, object_mask
from realedit.placement import Point
from realedit.settings import Settings

LOOKS = 4
NOISE = (0.55, 0.85)  # the fractions of the schedule between which the looks lie


@dataclass(frozen=True)
class Sight:
    """Where the model sees an object: its centre, and its share of the frame."""

    position: Point
    size: float


def look(model: DiffusionModel, photo: Tensor, prompt: str, span: tuple[int, int], settings: Settings) -> Sight | None:
    """Find the object that the characters [start, end) of a prompt name in a photo (1, 3, h, w) at the
    model's size; None where they attend to nothing in particular. The noise is fixed by the seed."""
    try:
        mask = object_mask(photo, look_mask(model, photo, prompt, span, settings), prompt[slice(*span)])
    except EditError:
        return None
    return Sight(mask_centre(mask), float(mask.mean()))


@torch.no_grad()
def look_mask(model: DiffusionModel, photo: Tensor, prompt: str, span: tuple[int, int], settings: Settings) -> Tensor:
    """The soft attention mask (1, 1, h, w) of a phrase, averaged over looks at several noise levels."""
    schedule = model.schedule(settings.steps)
    latent, text = model.encode(photo), model.embed(prompt)
    words = model.span_positions(prompt, span)
    generator = torch.Generator().manual_seed(settings.seed)
    maps = []
    with tap(model.unet, model.sites) as tape:
        for k in range(LOOKS):
            done = NOISE[0] + (NOISE[1] - NOISE[0]) * k / (LOOKS - 1)
            i = min(len(schedule) - 1, round(done * len(schedule)))
            noise = torch.randn(latent.shape, generator=generator).to(latent.device)
            model.predict(ddim_step(latent, noise, schedule.alpha_from[i]), schedule.timesteps[i], [text])
            maps.append(phrase_map(tape.attention, words))
    return enlarged(torch.cat(maps).cpu(), (photo.shape[-1], photo.shape[-2]))
