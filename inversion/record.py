"""Look at a photo while it is inverted, and write down what the model sees."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.model import DiffusionModel
from inversion.problem import Inverted, silent
from inversion.reference import Header, Reference
from inversion.schedule import Schedule
from inversion.taps import Tape, tap

COARSE = 16  # cells a side: enough to tell an object's look, and little to keep


def pooled(features: Tensor) -> Tensor:
    """Features in about 16 by 16 cells, at most half their size: what is recorded, and what a live map is
    compared with."""
    height, width = features.shape[-2:]
    factor = max(2, round((height * width) ** 0.5 / COARSE))
    return F.avg_pool2d(features, factor, ceil_mode=True, count_include_pad=False)


@dataclass(eq=False)
class Recorder:
    """What the prompted row shows at every step of a schedule.

    A way to invert that passes the prompted row at a pivot anyway, or as near to it as it ever comes, does so inside
    `step`, and recording costs it next to nothing; what no way has shown `finish` looks at itself. Maps are kept for
    the prompt's own tokens, in half precision; features coarsely, see `pooled`.
    """

    model: DiffusionModel
    prompt: str
    schedule: Schedule
    seen: dict[int, tuple[dict[str, Tensor], dict[str, Tensor]]] = field(default_factory=dict)

    @contextmanager
    def step(self, i: int) -> Iterator[None]:
        """Keep what the last pass inside the block shows of its last row, the prompted one, without a graph."""
        with torch.no_grad(), tap(self.model.unet, self.model.sites) as tape:
            yield
        self.seen[i] = self._kept(tape)

    def _kept(self, tape: Tape) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        length = self.model.texts.length(self.prompt)
        attention = {name: tape.attention[name][-1:, :length].half().cpu() for name in self.model.sites.attention}
        features = {name: pooled(tape.features[name][-1:].float()).half().cpu() for name in self.model.sites.features}
        return attention, features

    def finish(self, inverted: Inverted, method: str, on_step: Callable[[int], None] = silent) -> Reference:
        """The reference of a photo; steps that were not shown yet are looked at, at their pivots."""
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
    """Look at every pivot of an inversion that nobody watched."""
    return Recorder(model, prompt, schedule).finish(inverted, method, on_step)
