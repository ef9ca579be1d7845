"""The photo's own row beside the one that is sampled: at every step the network sees the photo's inverted latent, so
that what its layers give out there can be compared with what they give out for the edit, or put in its place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inversion.fixed_point import corrected_walk
from inversion.model import DiffusionModel
from inversion.problem import InversionProblem, silent
from inversion.reference import Reference
from inversion.schedule import Schedule
from inversion.taps import Sites, Tape, tap
from inversion.text import Embedding
from realedit.geometry.correspondence import Correspondence


@dataclass(eq=False)
class SourcePass:
    """One evaluation of the network a step, of which everything here is read.

    `pivots` (steps + 1, C, h, w): the photo's inverted latents, the noise first, on the model's device; `prompt`: its
    own words. `compared`: modules whose output is a feature map; `injected`: modules of any kind.
    """

    model: DiffusionModel
    schedule: Schedule
    pivots: Tensor
    prompt: Embedding
    compared: tuple[str, ...]
    injected: tuple[str, ...]
    _step: int = -1
    _tape: Tape = field(default_factory=Tape)
    _output: Tensor | None = None

    @classmethod
    def of(cls, model: DiffusionModel, reference: Reference) -> "SourcePass":
        """Of a photo's reference. Features are compared where they are made out of noise (after the first convolutions,
        at the latent's own grid) and at the end of every level of the decoder (DragonDiffusion, arXiv 2307.02421,
        compares some of the decoder's)."""
        ends = (f"up_blocks.{k}.resnets.{len(block.resnets) - 1}" for k, block in enumerate(model.unet.up_blocks))
        injected = tuple(name for name, _ in model.unet.named_modules() if name.endswith(".attn2"))
        pivots = reference.pivots.to(model.device)
        schedule = model.schedule(len(reference.header.timesteps))
        prompt = model.embed(reference.header.prompt)
        return cls(model, schedule, pivots, prompt, ("down_blocks.0.resnets.0", *ends), injected)

    def features(self, i: int) -> dict[str, Tensor]:
        """The `compared` features (1, C, h, w), float32, of the photo at step `i`."""
        self._run(i)
        return {name: self._tape.features[name].float() for name in self.compared}

    def outputs(self, i: int) -> dict[str, Tensor]:
        """What the `injected` modules give out for the photo at step `i`: of attention layers (1, h w, C)."""
        self._run(i)
        return {name: self._tape.features[name] for name in self.injected}

    def residual(self, i: int) -> Tensor:
        """By what the photo's next pivot differs from where the prompted row alone leads at step `i`, (1, C, h, w):
        with it added, sampling at guidance scale 1 retraces the inversion (arXiv 2310.01506)."""
        self._run(i)
        assert self._output is not None
        return self.pivots[i + 1 : i + 2] - self.schedule.down(self.pivots[i : i + 1], self._output, i)

    def _run(self, i: int) -> None:
        if i == self._step:
            return
        sites = Sites(features=self.compared + self.injected)
        with torch.no_grad(), tap(self.model.unet, sites) as self._tape:
            self._output = self.model.predict(self.pivots[i : i + 1], self.schedule.timesteps[i], [self.prompt])
        self._step = i


@dataclass(frozen=True, eq=False)
class InvertedLatent:
    """What the network shows of a picture that was inverted up to some level: its `latent` (1, C, h, w) there, and by
    step, from that level on, the features (1, C, h, w) of some modules, half precision on the CPU."""

    latent: Tensor
    features: Mapping[int, Mapping[str, Tensor]]


def invert_up_to(
    first: int, clean: Tensor, source: SourcePass, prompt: str, on_step: Callable[[int], None] = silent
) -> InvertedLatent:
    """Invert the `clean` latent (1, C, h, w) of another picture under a source's `prompt` up to the level `first`, and
    keep the features that the source compares: one evaluation of the network a step."""
    features: dict[int, dict[str, Tensor]] = {}

    @contextmanager
    def watch(i: int) -> Iterator[None]:
        with tap(source.model.unet, Sites(features=source.compared)) as tape:
            yield
        features[i] = {name: tape.features[name].half().cpu() for name in source.compared}

    problem = InversionProblem(source.model, clean, prompt, source.schedule, 1.0, on_step)
    walk = corrected_walk(problem, 1, watch, first)
    return InvertedLatent(walk[:1], features)


@dataclass(frozen=True, eq=False)
class FeatureEnergy:
    """Mean |feature of the photo where this comes from - feature| over channels, each in units of its spread in the
    photo, where objects are set down and old places are filled: the sum over the compared layers. `warped`: the photo
    as it is to be seen where objects are set down, None if none is.

    It keeps the look of every part of an object, where `AppearanceEnergy` keeps the mean of the whole (the editing
    energy of DragonDiffusion, arXiv 2307.02421, with an absolute difference for its cosine)."""

    source: SourcePass
    warped: InvertedLatent | None
    correspondence: Correspondence

    @property
    def sites(self) -> tuple[str, ...]:
        return self.source.compared

    def __call__(self, tape: Tape, i: int) -> Tensor:
        total = next(iter(tape.features.values())).new_zeros(()).float()
        for name, then in self.source.features(i).items():
            now = tape.features[name].float()
            cells = self.correspondence.at((now.shape[-2], now.shape[-1]))
            changed = cells.changed.to(now.device)
            spread = then.std((-2, -1), keepdim=True).clamp(min=1e-3)
            wanted = cells.carry(then, self.warped.features[i][name] if self.warped else None)
            missed = ((wanted - now) / spread).abs().mean(1, keepdim=True)
            total = total + (missed * changed).sum() / changed.sum().clamp(min=1)
        return total


@dataclass(frozen=True, eq=False)
class SourceResidual:
    """A latent callback: the photo's residuals are added but for the cells, (1, 1, h, w), that are `released`, so that
    what nothing touches stays as it is. `first`: the level at which sampling starts."""

    source: SourcePass
    released: Tensor
    first: int = 0

    def __call__(self, z: Tensor, level: int) -> Tensor:
        if level <= self.first:
            return z
        return z + (1 - self.released) * self.source.residual(level - 1)
