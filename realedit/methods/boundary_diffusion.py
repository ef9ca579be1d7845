"""BoundaryDiffusion (Zhu et al., arXiv 2302.08357): one move across a boundary, in the latent and in the bottleneck of
a single noise level, and noisy sampling from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from inversion.replacement import OutputReplacement, Replacement
from realedit.engines import BoundaryDiffusion
from realedit.methods.direction import LAYER, Direction, at_size, bottleneck
from realedit.methods.direction_use import direction_of
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.stepping import DdimSteps


@dataclass(eq=False)
class LaggingBottleneck:
    """A controller: at step `first` the bottleneck is `start` (1, c, h, w), at each later one what the network itself
    gave out the step before. For one run."""

    first: int
    start: Tensor
    _own: dict[int, Tensor] = field(default_factory=dict)

    def at(self, i: int) -> Mapping[str, Replacement]:
        def change(now: Tensor) -> Tensor:
            self._own[i] = now.detach()
            return self._own[i - 1] if i > self.first else self.start.to(now)

        return {LAYER: OutputReplacement(change)}


def mixing_level(direction: Direction, timesteps: tuple[int, ...]) -> int:
    """Of a run's timesteps the index of the one nearest to that of a direction."""
    wanted = direction.header.found.timestep
    return min(range(len(timesteps)), key=lambda i: abs(timesteps[i] - wanted))


def boundary_diffusion(task: Task, engine: BoundaryDiffusion) -> SamplerRun:
    """Raises what `direction_of` does."""
    session, model = task.session, task.session.model
    direction = direction_of(session, engine.direction)
    schedule = session.schedule
    level = mixing_level(direction, schedule.timesteps)
    middle, _ = bottleneck(model, task.pivots[level + 1 :][:1], schedule.timesteps[level], [model.embed(task.prompt)])
    start = task.pivots[level : level + 1]
    gap, latent_gap = direction.header.gaps
    return SamplerRun(
        start + engine.by * latent_gap * at_size(direction.latent, start),
        task.rows(1.0),
        tuple(schedule.walk(level)),
        DdimSteps.seeded(engine.eta, session.settings.seed),
        controllers=[LaggingBottleneck(level, middle + engine.by * gap * at_size(direction.bottleneck, middle))],
        callbacks=[task.held(task.pivots)],
    )
