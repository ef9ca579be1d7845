"""The scene without the object: the clean plate that a moved object and its shadow are set on."""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import silent
from inversion.model import DiffusionModel
from realedit.inpainting.completion import complete
from realedit.sampling.inverted_image import InvertedImage
from realedit.sampling.latent_blending import LatentBlend, cells_of, noised_composite
from realedit.sampling.sampler import Conditioning, sample
from realedit.settings import Settings


def clean_plate(
    model: DiffusionModel,
    seen: InvertedImage,
    prompt: str,
    hole: Tensor,
    others: Tensor,
    settings: Settings,
    on_step: Callable[[int], None] = silent,
) -> Tensor:
    """Draw the photo (1, 3, h, w) with the `hole` (1, 1, h, w) filled by what lies around it.

    Outside the hole every latent is held to the photo's own inversion. Inside, sampling starts from
    fresh noise over what repeats around it, which is looked for beside the `others` (1, 1, h, w), the photo's
    other objects. As far as that can be trusted, it stays as it is. `prompt` names the surroundings.
    """
    reference = seen.reference
    schedule = model.schedule(len(reference.header.timesteps))
    rough = complete(seen.image, hole, others)
    photo = model.encode(seen.image)
    cells = cells_of(hole, photo, 0.25)
    levels = noised_composite(
        reference.pivots.to(model.device),
        photo,
        model.encode(rough.image),
        schedule,
        (),
        cells,
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.where(cells > 0.5, settings.plate_from, 1.0)
    empty = model.unprompted().repeat(len(schedule))
    rows = Conditioning(model.embed(prompt), empty, settings.plate_guidance_scale)
    anchor = LatentBlend(levels, until)
    first = anchor.released
    latent = sample(model, levels[first][None], schedule, rows, first=first, callbacks=[anchor], on_step=on_step)
    drawn = model.decode(latent).cpu()
    return torch.where(hole > 0.5, torch.lerp(drawn, rough.image, rough.confidence), seen.image)
