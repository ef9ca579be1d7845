"""Where is an object in a picture that was never inverted? Its attention under fresh noise, at a few levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.taps import tap
from realedit.geometry.boxes import mask_centre
from realedit.geometry.transform import Point
from realedit.objects.segmentation import object_mask, upsampled_attention
from realedit.sampling.attention import phrase_map
from realedit.sampling.noising import noised_latents
from realedit.sampling.session import Session

PROBED_LEVELS = 0.55, 0.65, 0.75, 0.85  # the fractions of the schedule at which attention is read


@dataclass(frozen=True)
class Detection:
    """Where the model sees an object: its centre, and its share of the frame."""

    position: Point
    size: float


def detect(session: Session, photo: Tensor, prompt: str, span: tuple[int, int]) -> Detection | None:
    """Find the object that the characters [start, end) of a prompt name in a photo (1, 3, h, w) at the
    model's size; None where they attend to nothing in particular. The noise is fixed by the seed."""
    tokens = session.model.span_positions(prompt, span)
    try:
        mask = object_mask(photo, probe_attention(session, photo, prompt, tokens), prompt[slice(*span)])
    except EditError:
        return None
    return Detection(mask_centre(mask), float(mask.mean()))


@torch.no_grad()
def probe_attention(
    session: Session,
    photo: Tensor,
    prompt: str,
    tokens: Sequence[int],
    levels: Sequence[float] = PROBED_LEVELS,
) -> Tensor:
    """The soft attention mask (1, 1, h, w) of tokens of a prompt in a photo (1, 3, h, w), averaged over fresh
    noise at these levels, fractions of the schedule."""
    model = session.model
    latent, text = model.encode(photo), model.embed(prompt)
    maps = []
    with tap(model.unet, model.sites) as tape:
        for noised in noised_latents(latent, session.schedule, levels, session.settings.seed):
            model.predict(noised.z, noised.timestep, [text])
            maps.append(phrase_map(tape.attention, tokens))
    return upsampled_attention(torch.cat(maps).cpu(), (photo.shape[-1], photo.shape[-2]))
