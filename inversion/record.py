"""Record the attention and features of a photo while it is inverted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.finite import finite
from inversion.model import DiffusionModel
from inversion.problem import Inverted, silent
from inversion.reference import Header, Reference
from inversion.schedule import Schedule
from inversion.taps import Tape, tap

COARSE = 16  # cells a side: enough to compare the appearance of objects, in little memory


def pooled(features: Tensor) -> Tensor:
    """Feature maps (B, C, h, w) averaged to about 16 by 16 cells, and to half their height and width at most: what is
    recorded, and compared with the maps of an edit."""
    height, width = features.shape[-2:]
    factor = max(2, round((height * width) ** 0.5 / COARSE))
    return F.avg_pool2d(features, factor, ceil_mode=True, count_include_pad=False)


@dataclass(eq=False)
class Recorder:
    """Records the prompted row's attention and features at every step of a schedule.

    A method that predicts the prompted row at a pivot anyway, or at its best estimate of it, does so inside `step`
    (its problem's `watch`), so that recording costs almost nothing; `finish` predicts it at the steps that are left.
    Attention is kept for the prompt's own tokens, features are pooled, see `pooled`; both in half precision on the CPU.
    `seen`: by step, the attention (1, tokens, h, w) and the features (1, C, h, w) by layer.
    """

    model: DiffusionModel
    prompt: str
    schedule: Schedule
    seen: dict[int, tuple[dict[str, Tensor], dict[str, Tensor]]] = field(default_factory=dict)

    @contextmanager
    def step(self, i: int) -> Iterator[None]:
        """Record the last row, the prompted one, of the last forward pass inside the block; no gradient is kept."""
        with torch.no_grad(), tap(self.model.unet, self.model.sites) as tape:
            yield
        self.seen[i] = self._kept(tape)

    def _kept(self, tape: Tape) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        length = self.model.texts.length(self.prompt)
        attention = {name: tape.attention[name][-1:, :length].half().cpu() for name in self.model.sites.attention}
        features = {name: pooled(tape.features[name][-1:].float()).half().cpu() for name in self.model.sites.features}
        return attention, features

    def finish(self, inverted: Inverted, method: str, on_step: Callable[[int], None] = silent) -> Reference:
        """The reference of a photo. Steps that are not recorded yet are predicted at their pivots, and `on_step` is
        called after each. `method`: the name of the inversion method, for the reference's header.

        Raises:
            RealEditError: the inversion is not finite.
        """
        finite(inverted.pivots, f"the inversion with {self.model.name}")
        cond = self.model.embed(self.prompt)
        for i, t in enumerate(self.schedule.timesteps):
            if i not in self.seen:
                with self.step(i):
                    self.model.predict(inverted.pivots[i : i + 1], t, [cond])
                on_step(i)
        header = Header(
            model=self.model.fingerprint,
            prompt=self.prompt,
            method=method,
            timesteps=self.schedule.timesteps,
            guidance_scale=inverted.guidance_scale,
        )
        shown = [self.seen[i] for i in range(len(self.schedule))]
        return Reference(
            header=header,
            pivots=inverted.pivots.cpu(),
            unconditional=inverted.unconditional.to("cpu"),
            attention={name: torch.cat([maps[name] for maps, _ in shown]) for name in self.model.sites.attention},
            features={name: torch.cat([maps[name] for _, maps in shown]) for name in self.model.sites.features},
            residuals=None if inverted.residuals is None else inverted.residuals.cpu(),
        )


def record(
    model: DiffusionModel,
    inverted: Inverted,
    prompt: str,
    schedule: Schedule,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> Reference:
    """The reference of an inversion that was not watched: every pivot is predicted again; see `Recorder.finish`."""
    return Recorder(model, prompt, schedule).finish(inverted, method, on_step)
