"""RePaint (Lugmayr et al., arXiv 2201.09865): a hole sampled from noise, what is known set in at every level, and jumps
back to noisier levels, so that what was drawn comes to fit what is known."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inversion.schedule import Schedule, ddim_step
from realedit.engines import RePaint
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.stepping import DdimSteps


def jump_walk(steps: int, jump: int, repeats: int) -> tuple[int, ...]:
    """The levels that are visited: from every `jump`-th one, counted from the clean end, the walk climbs by `jump`
    again, `repeats` - 1 times (their figure 9; the schedule of diffusers' `RePaintScheduler`).

    >>> jump_walk(4, 2, 2)
    (0, 1, 2, 3, 4, 3, 2, 3, 4)
    """
    climbs = {steps - below: repeats - 1 for below in range(0, steps - jump, jump)}
    walk = [0]
    while walk[-1] < steps:
        walk.append(walk[-1] + 1)
        if climbs.get(walk[-1], 0) > 0:
            climbs[walk[-1]] -= 1
            walk += [walk[-1] - k for k in range(1, jump + 1)]
    return tuple(walk)


@dataclass(frozen=True, eq=False)
class KnownInNoise:
    """A latent callback: what is not `drawn` (1, 1, h, w) is the `latent` (1, C, h, w) in noise that is fresh at every
    level, and without at the last one."""

    latent: Tensor
    drawn: Tensor
    schedule: Schedule
    generator: torch.Generator

    def __call__(self, z: Tensor, level: int) -> Tensor:
        known = self.latent
        if level < len(self.schedule):
            noise = torch.randn(z.shape, generator=self.generator).to(z.device)
            known = ddim_step(known, noise, self.schedule.alpha_from[level])
        return torch.where(self.drawn > 0.5, z, known)


def repaint(task: Task, engine: RePaint) -> SamplerRun:
    """Where the task's photo may change it is drawn; what it shows there is not looked at."""
    schedule, latent = task.session.schedule, task.latent
    generator = torch.Generator().manual_seed(task.session.settings.seed)
    noise = torch.randn(latent.shape, generator=generator).to(latent.device)
    return SamplerRun(
        noise,
        task.rows(engine.guidance_scale),
        jump_walk(len(schedule), min(engine.jump, len(schedule)), engine.repeats),
        DdimSteps(engine.eta, generator),
        callbacks=[KnownInNoise(latent, task.cells, schedule, generator)],
    )
