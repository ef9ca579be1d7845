"""Look at a photo while it is reconstructed, and write down what the model sees."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from inversion.ddim import Inverted, silent
from inversion.model import DiffusionModel
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


def record(
    model: DiffusionModel,
    inverted: Inverted,
    prompt: str,
    schedule: Schedule,
    method: str,
    on_step: Callable[[int], None] = silent,
) -> Reference:
    """Read attention and features of the prompted row at every pivot.

    Maps are kept for the prompt's own tokens, in half precision; features coarsely, see `pooled`."""
    cond = model.embed(prompt)
    length = model.prompt_length(prompt)
    attention: dict[str, list[Tensor]] = {name: [] for name in model.sites.attention}
    features: dict[str, list[Tensor]] = {name: [] for name in model.sites.features}
    with torch.no_grad(), tap(model.unet, model.sites) as tape:
        for i, t in enumerate(schedule.timesteps):
            model.predict(inverted.pivots[i : i + 1], t, [cond])
            _keep(tape, length, attention, features)
            on_step(i)
    header = Header(
        model=model.fingerprint,
        prompt=prompt,
        method=method,
        timesteps=schedule.timesteps,
        guidance_scale=inverted.guidance_scale,
    )
    return Reference(
        header=header,
        pivots=inverted.pivots.cpu(),
        unconditional=inverted.unconditional.cpu(),
        attention={name: torch.cat(maps) for name, maps in attention.items()},
        features={name: torch.cat(maps) for name, maps in features.items()},
        residuals=None if inverted.residuals is None else inverted.residuals.cpu(),
    )


def _keep(tape: Tape, length: int, attention: dict[str, list[Tensor]], features: dict[str, list[Tensor]]) -> None:
    for name, maps in attention.items():
        maps.append(tape.attention[name][:, :length].half().cpu())
    for name, maps in features.items():
        maps.append(pooled(tape.features[name].float()).half().cpu())
