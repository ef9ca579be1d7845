"""New looks: put on in the way that fits the new words better.

Both ways bring the look's own colours. The photo's pixels can take them on: that keeps every edge, shade and
pattern of the photo. Or the model's picture can be shown in them: it alone has a pattern or a material that was
not there before. Which one it must be is read off the model: from what each of the two pictures says of the new
words against the old.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.schedule import Schedule, ddim_step
from realedit.compositing import to_cells
from realedit.dressing import dress, painted, recolour
from realedit.paste import core
from realedit.regenerating import DRESSED, Script
from realedit.sampler import Rows
from realedit.settings import Settings
from realedit.staging import Stage

GLANCES = 6
NOISE = (0.25, 0.75)  # the fractions of the schedule between which the glances lie
# Of the drawn picture's fit, from which the recoloured photo is preferred: for a look from words, and for that of
# another object, whose pattern the photo's pixels never have.
AS_GOOD, AS_GOOD_BORROWED = 0.84, 1.1


@dataclass(frozen=True, eq=False)
class NewLook:
    """How subject number `k` gets its look, in these `colours` (n, 3): as its own pixels, or as the model has
    `drawn` it."""

    k: int
    colours: Tensor
    drawn: bool

    def put_on(self, rough: Tensor, stage: Stage, generated: Tensor, small: Stage) -> Tensor:
        """The rough result of `stage` (1, 3, H, W) with the subject in its new look; `small` is the stage
        at the size of the model's picture `generated`."""
        opacity, own = stage.opacities[self.k], stage.own[self.k]
        if self.drawn:
            picture = recolour(generated, small.targets[self.k], self.colours)
            return painted(rough, opacity, own, dress(own, opacity, picture, small.own[self.k]))
        return painted(rough, opacity, own, recolour(own, opacity, self.colours))


def choose_looks(
    model: DiffusionModel, script: Script, stage: Stage, generated: Tensor, settings: Settings
) -> list[NewLook]:
    """For every subject that gets a new look the way that fits. `generated` (1, 3, h, w) is what the model
    drew."""

    schedule = model.schedule(settings.steps)

    def fit_of(way: NewLook) -> float:
        picture = way.put_on(stage.rough, stage, generated, stage)
        return fit(model, picture, stage.targets[way.k], script.rows, schedule, settings)

    looks = []
    for k in script.dressed:
        inside = core(stage.targets[k])[0, 0] > 0.5
        colours = script.colours.get(k, generated[0][:, inside].T)
        look = NewLook(k, colours, drawn=k in script.drawn)
        if look.drawn:
            recoloured = NewLook(k, colours, drawn=False)
            drawn, kept = fit_of(look), fit_of(recoloured)
            enough = AS_GOOD_BORROWED if k in script.borrowed else AS_GOOD
            look = recoloured if kept - drawn >= (enough - 1) * abs(drawn) else look
        looks.append(look)
    return looks


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
