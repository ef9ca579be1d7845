"""The scene without the object: the clean plate that a moved object and its shadow are set on."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from inversion.ddim import silent
from inversion.model import DiffusionModel
from inversion.phrases import phrases
from realedit.anchors import Anchor, known_latents
from realedit.compositing import to_cells
from realedit.continuing import continued
from realedit.inverting import Seen
from realedit.sampler import Rows, sample
from realedit.settings import Settings

BACKGROUND = "a photo of a background"


def surroundings(prompt: str, objects: Sequence[str]) -> str:
    """What the prompt says beside its objects, in its own words where they stand together. Objects
    that stay are held by their latents; naming them would only invite the model to draw them again. Where
    nothing else is named, the words ask for a background, since a model that is told nothing draws an object.

    >>> surroundings("a photo of a red ball and a can on a table in front of a wall", ["red ball", "can"])
    'a photo of a table in front of a wall'
    """
    gone = {o.lower() for o in objects}
    left = [p for p in phrases(prompt) if p.lower() not in gone]
    if not left:
        return BACKGROUND
    between = prompt[prompt.find(left[0]) : prompt.find(left[-1]) + len(left[-1])]
    if any(o in between.lower() for o in gone):
        between = " and a ".join(left)
    return f"a photo of a {between}"


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
