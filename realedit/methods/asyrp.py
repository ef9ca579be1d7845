"""Asyrp (Kwon et al., arXiv 2210.10960): the bottleneck of the U-Net is shifted, and the shifted prediction is used for
the clean latent alone, not for the noise that a step adds again.

What is added is the difference of mean bottlenecks that a direction has at every timestep, in place of their network
that is trained on CLIP's judgement (so the supervised directions of Haas et al., arXiv 2303.11073)."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from inversion.model import DiffusionModel
from inversion.replacement import OutputReplacement, Replacement
from inversion.schedule import Schedule
from realedit.engines import Asyrp
from realedit.methods.direction import LAYER, Direction, at_size
from realedit.methods.direction_use import direction_of
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.stepping import DdimSteps, StepRule


@dataclass(frozen=True, eq=False)
class ShiftedBottleneck:
    """A controller: at every step the bottleneck is moved `by` times what a direction has there."""

    direction: Direction
    schedule: Schedule
    by: float

    def at(self, i: int) -> Mapping[str, Replacement]:
        difference = self.direction.difference(self.schedule.timesteps[i], len(self.schedule))
        return {LAYER: OutputReplacement(lambda now: now + self.by * at_size(difference, now), every_row=True)}


@dataclass(frozen=True, eq=False)
class AsymmetricSteps:
    """A step rule: up to the level `until` each step of `plain` is followed by the edit that makes its clean latent the
    one predicted from the shifted bottleneck; from the level `noisy_from` on steps add DDPM's noise (`noisy`)."""

    model: DiffusionModel
    rows: Conditioning
    shift: ShiftedBottleneck
    plain: StepRule
    noisy: StepRule
    until: int
    noisy_from: int

    def down(self, schedule: Schedule, z: Tensor, output: Tensor, i: int) -> Tensor:
        stepped = (self.noisy if i >= self.noisy_from else self.plain).down(schedule, z, output, i)
        if i >= self.until or self.shift.by == 0:
            return stepped
        shifted = Step(self.model, schedule, self.rows, i, [self.shift]).unguided(z)
        return stepped + clean_shift(schedule, z, (output, shifted), i)

    def up(self, schedule: Schedule, z: Tensor, level: int, to: int) -> Tensor:
        return self.plain.up(schedule, z, level, to)


def clean_shift(schedule: Schedule, z: Tensor, outputs: tuple[Tensor, Tensor], i: int) -> Tensor:
    """What is added after step `i` so that its clean latent is that of the second of two outputs for `z`, all
    (1, C, h, w), and its noise stays that of the first: sqrt(ab_s) (P(second) - P(first)), which of predictions of the
    noise is -sqrt(ab_s (1 - ab_t) / ab_t) (eps~ - eps)."""
    first, second = (schedule.parameterisation.split(each, z, schedule.alpha_from[i])[0] for each in outputs)
    return schedule.alpha_to[i] ** 0.5 * (second - first)


def asyrp(task: Task, engine: Asyrp) -> SamplerRun:
    """Raises what `direction_of` does."""
    session = task.session
    direction = direction_of(session, engine.direction)
    schedule, rows = session.schedule, task.rows(1.0)
    steps = AsymmetricSteps(
        session.model,
        rows,
        ShiftedBottleneck(direction, schedule, engine.by),
        DdimSteps(),
        DdimSteps.seeded(engine.eta, session.settings.seed),
        round(engine.until * len(schedule)),
        round(engine.noisy_from * len(schedule)),
    )
    return SamplerRun(task.pivots[:1], rows, stepping=steps, callbacks=[task.held(task.pivots)])
