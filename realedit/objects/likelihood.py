"""Which of the masks that MobileSAM proposes is meant."""

import torch
from torch import Tensor

from realedit.objects.mobile_sam import Prompt, Proposals

# How likely a mask is meant: its expected overlap and how little it changes with the level at which it ends, plus this
# much of the logarithm of its area, less its share of the frame; and this more for the first, if marks leave no doubt.
AREA_WEIGHT, FIRST_WEIGHT = 0.05, 0.05
LARGEST_AT_POINT = 0.7  # of the photo: what is larger lies behind everything


def likelihood(proposals: Proposals, prompt: Prompt) -> Tensor:
    """How likely each of the masks (4,) is meant: of those that are expected to fit about as well, the largest, since a
    point on a dog means the dog, not its tongue."""
    inside = (proposals.levels > 0).float()
    steady = (proposals.levels > 1).sum((1, 2)) / (proposals.levels > -1).sum((1, 2)).clamp(min=1)
    area = inside.mean((1, 2))
    frame = torch.cat([inside[:, 0], inside[:, -1], inside[:, :, 0], inside[:, :, -1]], 1).mean(1)
    likely = proposals.overlaps + steady + AREA_WEIGHT * area.clamp(min=1e-9).log() - frame
    if prompt.box is None:
        likely[area > LARGEST_AT_POINT] = -torch.inf
    doubtful = prompt.box is None and len(prompt.inside) == 1 and not prompt.outside
    likely[0] += -torch.inf if doubtful else FIRST_WEIGHT
    return likely
