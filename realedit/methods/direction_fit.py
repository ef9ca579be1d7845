"""Find a direction from pictures: those that show something, and those that do not, inverted side by side, and a
boundary between them (BoundaryDiffusion, Zhu et al., arXiv 2302.08357)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.schedule import Schedule
from realedit.methods.boundary import boundary_normal, held_out_accuracy
from realedit.methods.direction import LAYER, Direction, DirectionHeader, Level, bottleneck
from realedit.sampling.session import Session

SCANNED_FROM, SCANNED_UNTIL = 0.3, 0.7  # of the training timesteps: where the mixing level is looked for
INVERTED_AT_ONCE = 16  # pictures that are inverted together
FEWEST = 2  # pictures of each kind


@dataclass(eq=False)
class Walks:
    """Pictures on their way to the noise, by the index of the level: the sums of bottlenecks of each side, and at the
    levels that are scanned all bottlenecks (half precision) and latents."""

    schedule: Schedule
    scanned: tuple[int, ...]
    sums: dict[tuple[int, int], Tensor] = field(default_factory=dict)
    bottlenecks: dict[int, list[Tensor]] = field(default_factory=dict)
    latents: dict[int, list[Tensor]] = field(default_factory=dict)

    def note(self, i: int, z: Tensor, middle: Tensor, sides: Tensor) -> None:
        """At level `i`: latents (B, C, h, w), bottlenecks (B, c, h', w'), and the `sides` (B,) of the pictures."""
        for side in (1, -1):
            own = middle[sides == side].sum(0, keepdim=True)
            self.sums[i, side] = self.sums.get((i, side), torch.zeros_like(own)) + own
        if i in self.scanned:
            self.bottlenecks.setdefault(i, []).append(middle.half().cpu())
            self.latents.setdefault(i, []).append(z.cpu())

    def differences(self, counts: tuple[int, int]) -> Tensor:
        """Of the mean bottlenecks of both sides, which are so many, at every level (steps, c, h', w')."""
        every = range(len(self.schedule))
        return torch.cat([self.sums[i, 1] / counts[0] - self.sums[i, -1] / counts[1] for i in every]).cpu()

    def samples(self, i: int) -> tuple[Tensor, Tensor]:
        """Bottlenecks and latents at a scanned level, each (n, d), float32."""
        return tuple(torch.cat(kept[i]).flatten(1).float() for kept in (self.bottlenecks, self.latents))  # type: ignore


def scanned_levels(session: Session) -> tuple[int, ...]:
    """The levels among which the mixing level is looked for; the middle one where a run is too short to have any."""
    times, trained = session.schedule.timesteps, session.model.scheduler.config.num_train_timesteps
    inside = [i for i, t in enumerate(times) if SCANNED_FROM <= t / trained <= SCANNED_UNTIL]
    return tuple(inside) or (len(times) // 2,)


@torch.no_grad()
def invert_together(session: Session, latents: Tensor, prompt: str) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Clean latents (B, C, h, w) on their way up by DDIM: the index of every level, the latents there, and the
    bottlenecks of the pass that led there."""
    model, schedule, z = session.model, session.schedule, latents
    rows = [model.embed(prompt)] * len(latents)
    for i in reversed(range(len(schedule))):
        middle, output = bottleneck(model, z, schedule.timesteps[i], rows)
        z = schedule.up(z, output, i)
        yield i, z, middle


def check_count(count: int, where: str) -> None:
    """Raises `EditError` if so many pictures, which lie there, are too few."""
    if count < FEWEST:
        raise EditError(f"{where} holds {count} photo; a direction needs at least {FEWEST} of each kind")


def fit_direction(session: Session, pictures: tuple[Tensor, Tensor], prompt: str) -> Direction:
    """The direction from pictures without something (the second) to pictures with it, each (n, 3, s, s) in [0, 1] at
    the model's own size.

    Raises:
        EditError: there are fewer than 2 of either.
    """
    model = session.model
    counts = (len(pictures[0]), len(pictures[1]))
    for count, where in zip(counts, ("the first of two", "the second of two"), strict=True):
        check_count(count, where)
    every = torch.cat(pictures)
    sides = torch.cat([torch.ones(counts[0]), -torch.ones(counts[1])])
    clean = torch.cat([model.encode(each) for each in every.split(1)])
    walks = Walks(session.schedule, scanned_levels(session))
    for mine, own in zip(clean.split(INVERTED_AT_ONCE), sides.split(INVERTED_AT_ONCE), strict=True):
        on_step = session.steps_of("inverting")
        for i, z, middle in invert_together(session, mine, prompt):
            walks.note(i, z, middle, own)
            on_step(i)
    session.progress("looking for the mixing step")
    scanned = {i: _level(walks, i, clean, sides) for i in walks.scanned}
    mixing = noisiest_of_the_best(scanned, len(sides))
    middle, gap = _normal(walks.bottlenecks, mixing, sides)
    latent, latent_gap = _normal(walks.latents, mixing, sides)
    name = Path(model.name).name if Path(model.name).exists() else model.name
    levels, times = tuple(scanned.values()), walks.schedule.timesteps
    header = DirectionHeader(model.fingerprint, name, LAYER, prompt, times, mixing, levels, counts, (gap, latent_gap))
    return Direction(header, middle, latent, walks.differences(counts))


def _level(walks: Walks, i: int, clean: Tensor, sides: Tensor) -> Level:
    middle, latents = walks.samples(i)
    alpha_bar = float(walks.schedule.alpha_from[i])
    noised = (alpha_bar * clean.flatten(1).square().sum(1) + (1 - alpha_bar) * latents.shape[1]).sqrt()
    return Level(
        walks.schedule.timesteps[i],
        held_out_accuracy(middle, sides),
        held_out_accuracy(latents, sides),
        float(latents.norm(dim=1).mean()),
        float(noised.mean()),
    )


def noisiest_of_the_best(scanned: Mapping[int, Level], pictures: int) -> int:
    """The index of the noisiest level, the lowest, at which the mean of both accuracies is at most a standard error
    below the best: of levels that so many pictures do not tell apart, the one that leaves most to be drawn. (The error
    is that of a share after one more right and one more wrong, so that it is not 0 where all are right.)"""

    def mean(level: Level) -> float:
        return (level.bottleneck_accuracy + level.latent_accuracy) / 2

    best = max(map(mean, scanned.values()))
    share = (best * pictures + 1) / (pictures + 2)
    error = (share * (1 - share) / pictures) ** 0.5
    return min(i for i, level in scanned.items() if mean(level) >= best - error)


def _normal(kept: Mapping[int, list[Tensor]], mixing: int, sides: Tensor) -> tuple[Tensor, float]:
    """The unit normal (1, ...) of the boundary among what was kept at the mixing level, and the gap along it."""
    samples = torch.cat(kept[mixing]).flatten(1).float()
    normal = boundary_normal(samples, sides)
    along = samples @ normal
    gap = float(along[sides > 0].mean() - along[sides < 0].mean())
    return normal.view(1, *kept[mixing][0].shape[1:]), gap
