"""All things in a box that a user drew around several: bags side by side, people in a group."""

import numpy as np
import torch
from torch import Tensor

from realedit.geometry.boxes import box_mask, mask_box
from realedit.geometry.transform import Box
from realedit.objects.likelihood import likelihood
from realedit.objects.mobile_sam import Prompt
from realedit.objects.seen_part import SeenPart

PLACES = 5  # across the box and down, at which things are looked for
LEAST_LIKELIHOOD = 1.4  # of a thing
LEAST_INSIDE = 0.93  # of a thing that lies in the box; what lies behind goes on beyond
ROOM = 0.05  # of the box's sides: how far beyond it is still inside
LEAST_OF_BOX = 0.005  # that a thing covers


def things_in(part: SeenPart, box: Box, found: Tensor) -> Tensor:
    """All things in a box as one level (h, w) of a part, above 0 inside, with what is `found` there (h, w) already if
    it lies in the box."""
    across, down = ROOM * (box[2] - box[0]), ROOM * (box[3] - box[1])
    top, left = part.pixel((box[0] - across, box[1] - down))
    bottom, right = part.pixel((box[2] + across, box[3] + down))
    inside = torch.zeros(found.shape, dtype=torch.bool)
    inside[top : bottom + 1, left : right + 1] = True
    every = found if _lies_in(found, inside) else found.clamp(max=-1)
    for x in np.linspace(box[0], box[2], 2 * PLACES + 1)[1::2]:
        for y in np.linspace(box[1], box[3], 2 * PLACES + 1)[1::2]:
            if every[part.pixel((x, y))] > 0:
                continue
            prompt = Prompt(((float(x), float(y)),))
            proposals = part.proposals(prompt)
            likely = likelihood(proposals, prompt)
            fitting = [k for k, level in enumerate(proposals.levels) if _lies_in(level, inside)]
            best = max(fitting, key=lambda k: float(likely[k]), default=None)
            if best is not None and likely[best] > LEAST_LIKELIHOOD:
                every = torch.maximum(every, proposals.levels[best])
    return every


def fit(level: Tensor, part: SeenPart, box: Box) -> float:
    """How much of the box around what is above 0 in a level (h, w) and of the given box lies in both (IoU)."""
    if not (level > 0).any():
        return 0.0
    (top, left), (bottom, right) = part.pixel(box[:2]), part.pixel(box[2:])
    size = level.shape[1], level.shape[0]
    given = left / size[0], top / size[1], (right + 1) / size[0], (bottom + 1) / size[1]
    own, other = box_mask(mask_box((level > 0).float()[None, None]), size), box_mask(given, size)
    return float((own * other).sum() / torch.maximum(own, other).sum())


def _lies_in(level: Tensor, inside: Tensor) -> bool:
    """Whether what is above 0 in a level lies `inside`, both (h, w), and is no speck."""
    covered = level > 0
    within = (covered & inside).sum()
    return bool(within >= LEAST_INSIDE * covered.sum() and covered.sum() >= LEAST_OF_BOX * inside.sum())
