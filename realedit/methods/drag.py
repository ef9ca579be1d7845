"""DragDiffusion (Shi et al., arXiv 2306.14435): at one noise level the photo's latent is moved until the network's
features at some points are seen at others; then it is drawn, with the keys and values of the photo's own row.

Where nothing may change latents are held to the photo, which stands for their background term; and no weights are
fitted to the photo first (their LoRA): its residuals give it back where nothing was dragged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError
from inversion.replacement import OutputReplacement, Replacement
from inversion.taps import Tape
from realedit.engines import Drag
from realedit.methods.sampler_run import SamplerRun, Task, always
from realedit.morphology import dilate, swept, union
from realedit.sampling.prediction import Conditioning, Step
from realedit.sampling.session import Session
from realedit.sampling.source_pass import SourcePass, SourceResidual

PATCH_RADIUS = 1  # pixels of the features' grid, which has half the picture's: what is moved around a point
TRACKED_RADIUS = 3  # the same: how far a point may have gone in a round
POINT_ARRIVED = 1.0  # the same: from where on a point needs no more


def check_points(session: Session, texts: tuple[str, str], engine: Drag) -> None:
    """Raises `EditError` if a point lies outside the photo."""
    for x, y in (point for each in engine.points for point in (each.start, each.end)):
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise EditError(f"the point {x:g},{y:g} lies outside the photo; give fractions from 0 to 1")


def way_of(engine: Drag, mask: Tensor, margin: float) -> Tensor:
    """What may change when an object (1, 1, H, W) is dragged: where it is, where it may go, and a `margin` around, in
    fractions of the shorter side."""
    ways = [(each.end[0] - each.start[0], each.end[1] - each.start[1]) for each in engine.points]
    return dilate(union([swept(mask, way) for way in ways], mask), margin)


@dataclass(eq=False)
class MotionSupervision:
    """A guidance rule without a shift of its own: what the features of module `site` show around each of `points`
    (n, 2) shall be seen a pixel nearer to its `targets` (n, 2); both in pixels (x, y) of a grid of `size` (h, w).

    Before each round the points are looked for anew, where the features are most like those at the start (their
    section 3.4). For one run."""

    site: str
    size: tuple[int, int]
    points: Tensor
    targets: Tensor
    _first: Tensor | None = field(default=None, init=False)

    @property
    def sites(self) -> tuple[str, ...]:
        return (self.site,)

    def active(self, i: int, steps: int) -> bool:
        return True

    def begin(self, i: int) -> None: ...

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor | None:
        """The sum over points of the absolute difference around them; None where all have arrived."""
        features = F.interpolate(tape.features[self.site].float(), size=self.size, mode="bilinear")
        if self._first is None:
            self._first = read_at(features.detach(), self.points[:, None])
        else:
            self.points = tracked(features.detach(), self._first, self.points)
        way = self.targets - self.points
        length = way.norm(dim=-1, keepdim=True)
        going = length[:, 0] > POINT_ARRIVED
        if not going.any():
            return None
        around = self.points[going][:, None] + neighbours(PATCH_RADIUS).to(self.points)
        stay = read_at(features, around).detach()
        there = read_at(features, around + (way / length.clamp(min=1e-6))[going][:, None])
        return (there - stay).abs().mean(-1).sum()

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        return torch.zeros_like(noise)


def read_at(features: Tensor, points: Tensor) -> Tensor:
    """What features (1, C, h, w) show at points (n, k, 2) in pixels (x, y): (n, k, C); beside the frame its edge."""
    size = torch.tensor((features.shape[-1], features.shape[-2])).to(points)
    grid = (2 * (points + 0.5) / size - 1).to(features)
    read = F.grid_sample(features, grid[None], mode="bilinear", padding_mode="border", align_corners=False)
    return read[0].permute(1, 2, 0)


def neighbours(radius: int) -> Tensor:
    """All steps (k, 2) of whole pixels within a square of this radius."""
    steps = torch.arange(-radius, radius + 1).float()
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).view(-1, 2)


def tracked(features: Tensor, first: Tensor, points: Tensor) -> Tensor:
    """Where near `points` (n, 2) features (1, C, h, w) are most like the `first` ones (n, 1, C) of each."""
    tried = points[:, None] + neighbours(TRACKED_RADIUS).to(points)
    best = (read_at(features, tried) - first).abs().sum(-1).argmin(-1)
    return tried[torch.arange(len(points)), best]


@dataclass(frozen=True, eq=False)
class DragDescent:
    """A latent callback: at one `level` the latent is moved by Adam, in the `cells` (1, 1, h, w) alone, until the
    points have arrived or the rounds are over."""

    session: Session
    rows: Conditioning
    supervision: MotionSupervision
    engine: Drag
    level: int
    cells: Tensor

    def __call__(self, z: Tensor, level: int) -> Tensor:
        if level != self.level:
            return z
        step = Step(self.session.model, self.session.schedule, self.rows, level)
        dragged = z.detach().clone()
        optimiser = torch.optim.Adam([dragged], lr=self.engine.rate)
        for _ in range(self.engine.rounds):
            gradient, _ = step.energy_gradient(dragged, self.supervision)
            if gradient is None:
                break
            dragged.grad = gradient * self.cells
            optimiser.step()
        return torch.where(self.cells > 0.5, dragged.detach(), z)


@dataclass(frozen=True, eq=False)
class KeysAndValuesFromPhoto:
    """The controller: `names` of self-attention give out what they give out for the photo."""

    source: SourcePass
    names: tuple[str, ...]

    def at(self, i: int) -> Mapping[str, Replacement]:
        then = self.source.outputs(i)
        return {name: OutputReplacement(always(then[name]), every_row=True) for name in self.names}


def drag(task: Task, engine: Drag) -> SamplerRun:
    """Raises `EditError` if a point lies where nothing may change."""
    model, schedule = task.session.model, task.session.schedule
    size = (task.image.shape[-2] // 2, task.image.shape[-1] // 2)
    starts, ends = (_in_part(task, [getattr(each, name) for each in engine.points]) for name in ("start", "end"))
    scale = torch.tensor((size[1], size[0]))
    supervision = MotionSupervision(
        f"up_blocks.{max(0, len(model.unet.up_blocks) - 2)}", size, starts * scale - 0.5, ends * scale - 0.5
    )
    first = len(schedule) - max(1, round(engine.from_noise * len(schedule)))
    names = late_self_attention(model.unet)
    source = SourcePass(model, schedule, task.pivots, model.embed(task.prompt), (), names)
    rows = task.rows(1.0)
    return SamplerRun(
        task.pivots[first : first + 1],
        rows,
        tuple(schedule.walk(first)),
        controllers=[KeysAndValuesFromPhoto(source, names)],
        callbacks=[
            SourceResidual(source, torch.zeros_like(task.cells), first),
            task.held(task.pivots),
            DragDescent(task.session, rows, supervision, engine, first, task.cells),
        ],
    )


def _in_part(task: Task, points: list[tuple[float, float]]) -> Tensor:
    """Points of the photo (n, 2) as those of the task's part."""
    height, width = task.free.shape[-2:]
    found = []
    for point in points:
        x, y = task.crop.to_crop(point) if task.crop is not None else point
        column, row = (min(int(v * n), n - 1) for v, n in ((x, width), (y, height)))
        inside = 0 <= x <= 1 and 0 <= y <= 1
        if not inside or task.free[0, 0, row, column] <= 0:
            typed = f"{point[0]:g},{point[1]:g}"
            raise EditError(f"the point {typed} lies where nothing may change; mark also where things go")
        found.append((x, y))
    return torch.tensor(found)


def late_self_attention(unet: Any) -> tuple[str, ...]:
    """The keys and values of the decoder's self-attention after its first level that has any: of Stable Diffusion 1.x
    all from the tenth of 16 layers on, as in the paper; where no other level has, that one's."""
    layers = [name for name, _ in unet.named_modules() if name.startswith("up_blocks.") and name.endswith(".attn1")]
    first = layers[0].split(".")[1] if layers else ""
    late = [name for name in layers if name.split(".")[1] != first] or layers
    return tuple(f"{name}.{part}" for name in late for part in ("to_k", "to_v"))
