"""A traced run as the picture that explains it."""

import numpy as np
import torch
from torch import Tensor

from inversion.model import DiffusionModel
from realedit.evaluation.explanation import AttentionMaps, GuidedRun, draw_explanation
from realedit.images import to_bytes
from realedit.sampling.guidance import Guidance
from realedit.sampling.trace import Trace


def explanation(model: DiffusionModel, image: Tensor, guidance: Guidance | None, trace: Trace | None) -> Tensor | None:
    """The picture (1, 3, H, W) that explains a run from an `image` (1, 3, h, w), at its own size; None where no trace
    was kept or nothing was guided."""
    if guidance is None or trace is None or not trace.terms:
        return None
    page = np.array(draw_explanation(guided_run(model, image, guidance, trace)))
    return torch.from_numpy(page).permute(2, 0, 1)[None] / 255


def guided_run(model: DiffusionModel, image: Tensor, guidance: Guidance, trace: Trace) -> GuidedRun:
    """What was measured of a run, as plain values."""
    measured = dict(zip(trace.terms, guidance.history, strict=True))
    maps = [
        AttentionMaps(name, each.before.numpy(), each.wanted.numpy(), each.after.numpy())
        for name, each in trace.attention().items()
    ]
    return GuidedRun(
        steps=trace.steps,
        terms=trace.terms,
        sums={step: sample.energy for step, sample in measured.items()},
        features={step: sample.features for step, sample in measured.items() if sample.features is not None},
        goal=guidance.tolerance,
        strengths=dict(zip(trace.terms, guidance.strengths(), strict=True)),
        attention=maps,
        photo=to_bytes(image),
        predicted={step: to_bytes(model.decode(latent)) for step, latent in trace.predicted.items()},
    )
