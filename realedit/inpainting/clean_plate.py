"""The scene without the object: the clean plate that a moved object and its shadow are set on."""

import torch
from torch import Tensor

from realedit.inpainting.completion import complete
from realedit.sampling.inverted_image import InvertedImage, latent_path
from realedit.sampling.latent_blending import LatentBlend, cells_of, noised_composite
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session

HOLE_SHARE = 0.25  # share of a cell from which it counts as part of the hole


def clean_plate(session: Session, inverted: InvertedImage, prompt: str, hole: Tensor, others: Tensor) -> Tensor:
    """Draw the photo (1, 3, h, w) with the `hole` (1, 1, h, w) filled by what lies around it.

    Outside the hole every latent is held to the photo's own inversion. Inside, sampling starts from
    fresh noise over what repeats around it, which is looked for beside the `others` (1, 1, h, w), the photo's
    other objects. As far as that can be trusted, it stays as it is. `prompt` names the surroundings.
    """
    model, settings = session.model, session.settings
    completion = complete(inverted.image, hole, others)
    path = latent_path(session, inverted)
    cells = cells_of(hole, path.photo, HOLE_SHARE)
    levels = noised_composite(path, model.encode(completion.image), cells, settings.seed)
    blend = LatentBlend(levels, torch.where(cells > 0.5, settings.plate_from, 1.0))
    conditioning = Conditioning.plain(model, prompt, settings.steps, settings.plate_guidance_scale)
    latent = sample(
        model,
        levels[blend.released][None],
        path.schedule,
        conditioning,
        first=blend.released,
        callbacks=[blend],
        on_step=session.steps_of("filling the old place"),
    )
    drawn = model.decode(latent).cpu()
    return torch.where(hole > 0.5, torch.lerp(drawn, completion.image, completion.confidence), inverted.image)
