"""The scene without the object: the clean plate that a moved object and its shadow are set on."""

from collections.abc import Callable

import torch
from torch import Tensor

from inversion.ddim import silent
from inversion.model import DiffusionModel
from realedit.inpainting.completion import continued
from realedit.sampling.inverted_image import Seen
from realedit.sampling.latent_blending import Anchor, known_latents, to_cells
from realedit.sampling.sampler import Rows, sample
from realedit.settings import Settings


def clean_plate(
    model: DiffusionModel,
    seen: Seen,
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
    rough = continued(seen.small, hole, others)
    photo = model.encode(seen.small)
    cells = to_cells(hole, photo, 0.25)
    levels = known_latents(
        reference.pivots.to(model.device),
        photo,
        model.encode(rough.photo),
        schedule,
        (),
        cells,
        torch.Generator().manual_seed(settings.seed),
    )
    until = torch.where(cells > 0.5, settings.plate_from, 1.0)
    empty = model.unprompted().repeat(len(schedule))
    rows = Rows(model.embed(prompt), empty, settings.plate_guidance_scale)
    anchor = Anchor(levels, until)
    first = anchor.released
    latent = sample(model, levels[first][None], schedule, rows, first=first, edits=[anchor], on_step=on_step)
    drawn = model.decode(latent).cpu()
    return torch.where(hole > 0.5, torch.lerp(drawn, rough.photo, rough.trust), seen.small)
