"""The scene without the object: the clean plate that a moved object and its shadow are set on."""

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.inpainting.completion import complete
from realedit.sampling.inverted_image import InvertedImage, latent_path
from realedit.sampling.latent_blending import LatentBlend, cells_of, noised_composite
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from realedit.sampling.session import Session
from realedit.settings import Settings

HOLE_SHARE = 0.25  # share of a cell from which it counts as part of the hole
TRUSTED = 0.5  # the confidence from which what was copied is held as long as can be


def clean_plate(session: Session, inverted: InvertedImage, prompt: str, hole: Tensor, others: Tensor) -> Tensor:
    """Draw the photo (1, 3, h, w) with the `hole` (1, 1, h, w) filled by what lies around it.

    Outside the hole every latent is held to the photo's own inversion. Inside, sampling starts from
    fresh noise over what repeats around it, which is looked for beside the `others` (1, 1, h, w), the photo's
    other objects. The less that can be trusted, the earlier the model draws, structure first; as far as it can be, it
    stays as it is. `prompt` names the surroundings.
    """
    model, settings = session.model, session.settings
    completion = complete(inverted.image, hole, others)
    path = latent_path(session, inverted)
    cells = cells_of(hole, path.photo, HOLE_SHARE)
    levels = noised_composite(path, model.encode(completion.image), cells, settings.seed)
    blend = LatentBlend(levels, torch.where(cells > 0.5, held_until(completion.confidence, cells, settings), 1.0))
    conditioning = Conditioning.plain(model, prompt, settings.steps, settings.plate_guidance_scale)
    latent = sample(
        model,
        levels[blend.released][None],
        path.schedule,
        conditioning,
        walk=path.schedule.walk(blend.released),
        callbacks=[blend],
        on_step=session.steps_of("filling the old place"),
    )
    drawn = model.decode(latent).cpu()
    return torch.where(hole > 0.5, torch.lerp(drawn, completion.image, completion.confidence), inverted.image)


def held_until(confidence: Tensor, cells: Tensor, settings: Settings) -> Tensor:
    """Until which fraction of the schedule each of the `cells` (1, 1, h, w) is held to what was copied, by how far that
    can be trusted (1, 1, H, W)."""
    trust = (F.interpolate(confidence, size=cells.shape[-2:], mode="area") / TRUSTED).clamp(max=1).to(cells.device)
    return settings.structure_from + (settings.plate_from - settings.structure_from) * trust
