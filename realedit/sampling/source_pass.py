"""The photo's own row beside the one that is sampled: at every step the network sees the photo's inverted latent, so
that what its layers give out there can be compared with what they give out for the edit, or put in its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inversion.model import DiffusionModel
from inversion.reference import Reference
from inversion.replacement import OutputReplacement, Replacement, as_map, as_tokens
from inversion.schedule import Schedule
from inversion.taps import Sites, Tape, tap
from inversion.text import Embedding
from realedit.geometry.correspondence import CellMap, Correspondence


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
class FeatureEnergy:
    """Mean |feature of the photo where this comes from - feature| over channels, each in units of its spread in the
    photo, where objects are set down and old places are filled: the sum over the compared layers.

    It keeps the look of every part of an object, where `AppearanceEnergy` keeps the mean of the whole (the editing
    energy of DragonDiffusion, arXiv 2307.02421, with an absolute difference for its cosine)."""

    source: SourcePass
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
            missed = ((cells.carry(then) - now) / spread).abs().mean(1, keepdim=True)
            total = total + (missed * changed).sum() / changed.sum().clamp(min=1)
        return total


@dataclass(frozen=True, eq=False)
class CrossAttentionInjection:
    """A controller: up to the fraction `until` of the schedule, the words put into a cell what they put into the cell
    of the photo that it comes from (in the manner of prompt-to-prompt, arXiv 2208.01626, which keeps attention maps in
    place)."""

    source: SourcePass
    correspondence: Correspondence
    until: float

    def at(self, i: int) -> Mapping[str, Replacement]:
        if i / len(self.source.schedule) >= self.until:
            return {}
        size = (self.source.pivots.shape[-2], self.source.pivots.shape[-1])

        def carried(then: Tensor) -> Callable[[Tensor], Tensor]:
            def replacement(now: Tensor) -> Tensor:
                cells = self._cells(then, size)
                changed = as_tokens(cells.changed.to(now))
                return torch.lerp(now, as_tokens(cells.carry(as_map(then, size))), changed)

            return replacement

        return {name: OutputReplacement(carried(then)) for name, then in self.source.outputs(i).items()}

    def _cells(self, tokens: Tensor, size: tuple[int, int]) -> CellMap:
        return self.correspondence.at(tuple(as_map(tokens, size).shape[-2:]))  # type: ignore[arg-type]


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
