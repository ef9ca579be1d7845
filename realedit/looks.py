"""New looks: judged by how well the new words fit them, and put on in the way that fits.

A new look can be had in two ways. The photo's own pixels can take on the colours that the model drew:
that keeps every edge, shade and pattern of the photo. Or the model's picture itself can be shown: it
alone has a pattern or a material that was not there before. Which one it must be is read off the model:
from what each of the two pictures says of the new words against the old.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule, ddim_step
from realedit.compositing import to_cells
from realedit.dressing import dress, recolour
from realedit.paste import grow
from realedit.regenerating import DRESSED, Script
from realedit.sampler import Rows
from realedit.settings import Settings
from realedit.staging import Stage

GLANCES = 6
NOISE = (0.25, 0.75)  # the fractions of the schedule between which the glances lie
# Of the drawn picture's fit, from which the recoloured photo is preferred: in the colours that were drawn,
# and in those of another object, whose pattern is lost that way.
AS_GOOD, AS_GOOD_BORROWED = 0.88, 1.1
SEEN, DIFFERS = 0.85, 0.08  # of what was seen of the object before; the range by which a pixel is told from the plate
CORE = 0.012  # of the shorter side: the rim of a drawn object, whose colours are mixed


@dataclass(frozen=True, eq=False)
class NewLook:
    """How subject number `k` gets its look: its own pixels in these `colours` (n, 3), or, without them,
    the model's picture. `fit` says how well the new words fit the result."""

    k: int
    colours: Tensor | None
    fit: float

    def put_on(self, rough: Tensor, stage: Stage, generated: Tensor, small: Stage) -> Tensor:
        """The rough result of `stage` (1, 3, H, W) with the subject in its new look; `small` is the stage
        at the size of the model's picture `generated`."""
        if self.colours is not None:
            return recolour(rough, stage.opacities[self.k], self.colours)
        return dress(rough, stage.opacities[self.k], generated, small.rough)


def choose_looks(
    model: DiffusionModel,
    script: Script,
    stage: Stage,
    plate: Tensor,
    generated: Tensor,
    schedule: Schedule,
    settings: Settings,
) -> list[NewLook]:
    """For every subject that gets a new look the way that fits. `generated` (1, 3, h, w) is what the model
    drew, `plate` (1, 3, h, w) what is behind the subjects: a look that cannot be told from it is none."""
    looks = []
    for k in script.dressed:
        if k not in script.drawn:
            looks.append(NewLook(k, script.colours[k], 0.0))
            continue
        core = grow(stage.targets[k], -CORE)
        inside = (core if core.any() else stage.targets[k])[0, 0] > 0.5
        colours = script.colours.get(k, generated[0][:, inside].T)
        ways = [NewLook(k, None, 0.0), NewLook(k, colours, 0.0)]
        fits = [
            fit(
                model,
                way.put_on(stage.rough, stage, generated, stage),
                stage.targets[k],
                script.rows,
                schedule,
                settings,
            )
            for way in ways
        ]
        enough = AS_GOOD_BORROWED if k in script.colours else AS_GOOD
        best = int(fits[1] - fits[0] >= (enough - 1) * abs(fits[0]))
        looks.append(NewLook(k, ways[best].colours, fits[best]))
    return looks


def shown(picture: Tensor, plate: Tensor, mask: Tensor) -> float:
    """The share of a mask in which a picture (1, 3, h, w) differs from what lies behind."""
    differs = (picture - plate).abs().amax(1, keepdim=True) > DIFFERS
    return float(differs[mask > 0.5].float().mean())


@torch.no_grad()
def fit(
    model: DiffusionModel, picture: Tensor, mask: Tensor, rows: Rows, schedule: Schedule, settings: Settings
) -> float:
    """How much better than the old words the new ones predict the noise added to a picture (1, 3, h, w),
    within a mask: the share of the error that they save (a diffusion classifier, Li et al., arXiv
    2303.16203). 0 if they say no more of it."""
    latent = model.encode(picture)
    cells = to_cells(mask, latent, DRESSED)
    generator = torch.Generator().manual_seed(settings.seed)
    saved = []
    for glance in range(GLANCES):
        done = NOISE[0] + (NOISE[1] - NOISE[0]) * glance / (GLANCES - 1)
        i = min(len(schedule) - 1, round(done * len(schedule)))
        noise = torch.randn(latent.shape, generator=generator).to(latent.device)
        z = ddim_step(latent, noise, schedule.alpha_from[i])
        outputs = model.predict(z, schedule.timesteps[i], [rows.unprompted(i), rows.prompt])
        old, new = (
            float(
                (
                    (schedule.parameterisation.split(o[None], z, schedule.alpha_from[i])[1] - noise).square() * cells
                ).sum()
            )
            for o in outputs
        )
        saved.append((old - new) / max(old, 1e-9))
    return sum(saved) / len(saved)
