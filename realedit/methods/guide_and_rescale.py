"""Guide-and-Rescale (Titov et al., arXiv 2409.01322): new words by classifier-free guidance, while self-attention and
features of the decoder are pulled to the photo's; the pull is measured against the guidance's own, so that nothing has
to be tuned.

One value is both how the rows become one and the rule of guidance: the first tells it their difference, by which the
second scales its gradient."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.taps import Tape, attention_probabilities
from realedit.engines import GuideAndRescale
from realedit.methods.plug_and_play import injected_modules
from realedit.methods.sampler_run import SamplerRun, Task
from realedit.sampling.combination import CLASSIFIER_FREE, Predictions
from realedit.sampling.session import Session
from realedit.sampling.source_pass import SourcePass
from realedit.settings import Guider

FEATURES_SHARE = 0.5  # of what is pulled: the decoder's features, the rest is self-attention


@dataclass(eq=False)
class GuidedAndRescaled:
    """The `Combine` and the `GuidanceRule`. `layers`: self-attention whose probabilities are compared, by its queries
    and keys, and `features`: modules whose outputs are. For one run."""

    source: SourcePass
    engine: GuideAndRescale
    layers: tuple[str, ...]
    features: tuple[str, ...]
    _difference: Tensor | None = field(default=None, init=False)

    def asks(self, scale: float, done: float) -> bool:
        return CLASSIFIER_FREE.asks(scale, done)

    def __call__(self, rows: Predictions, scale: float, done: float) -> Tensor:
        both = CLASSIFIER_FREE(rows, scale, done)
        self._difference = None if rows.unprompted is None else both - rows.unprompted
        return both

    @property
    def sites(self) -> tuple[str, ...]:
        return self.source.injected

    def active(self, i: int, steps: int) -> bool:
        return i / steps < self.engine.until

    def begin(self, i: int) -> None:
        self.source.outputs(i)

    def evaluate(self, tape: Tape, i: int, steps: int) -> Tensor:
        """The mean square of what differs, over layers, each in units of the photo's own."""
        then = self.source.outputs(i)
        features = [_apart(tape.features[name], then[name]) for name in self.features]
        attention = [
            _apart(self._attention(name, tape.features), self._attention(name, then).detach()) for name in self.layers
        ]
        pulls = (FEATURES_SHARE, features), (1 - FEATURES_SHARE, attention)
        return torch.stack([share * torch.stack(terms).mean() for share, terms in pulls if terms]).sum()

    def _attention(self, name: str, read: dict[str, Tensor]) -> Tensor:
        layer: Any = self.source.model.unet.get_submodule(name)
        return attention_probabilities(layer, read[f"{name}.to_q"], read[f"{name}.to_k"])

    def shift(self, gradient: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
        """The gradient, as long as it is against the difference of the rows but within limits (their section 4.2)."""
        if self._difference is None:
            return torch.zeros_like(gradient)
        allowed, length = float(self._difference.norm()), float(gradient.norm())
        if allowed == 0 or length == 0:
            return torch.zeros_like(gradient)
        ratio = self.engine.scale * length / allowed
        return gradient / length * allowed * min(max(ratio, self.engine.least), self.engine.most)


def _apart(now: Tensor, then: Tensor) -> Tensor:
    return (now - then).float().square().mean() / then.float().square().mean().clamp(min=1e-9)


def check_guider(session: Session, texts: tuple[str, str], engine: GuideAndRescale) -> None:
    """Raises `EditError` if rows shall be combined otherwise: the rule would not be told their difference."""
    if session.settings.guider is not Guider.PLAIN:
        raise EditError("guide-and-rescale combines the rows by itself; leave out --guider")


def guide_and_rescale(task: Task, engine: GuideAndRescale) -> SamplerRun:
    model = task.session.model
    features, parts = injected_modules(model.unet)
    layers = tuple(dict.fromkeys(name.rsplit(".", 1)[0] for name in parts))
    source = SourcePass(model, task.session.schedule, task.pivots, model.embed(task.prompt), (), features + parts)
    rule = GuidedAndRescaled(source, engine, layers, features)
    rows = replace(task.rows(engine.guidance_scale), combine=rule)
    return SamplerRun(task.pivots[:1], rows, guidance=rule, callbacks=[task.held(task.pivots)])
