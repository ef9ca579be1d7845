"""Two plates of one scene: where they are apart by more than a tone, a model drew a thing in one of them."""

import torch
from scipy import ndimage
from torch import Tensor

from realedit.inpainting.fill import fill_smoothly
from realedit.morphology import dilate

TONE = 0.1  # of full brightness, in any channel: plates that are less apart show the same
THING = 0.25  # the same: what is apart by so much somewhere is another thing
THING_RIM = 0.012  # of the shorter side: how far beyond that its edge goes


def without_things(plate: Tensor, other: Tensor, hole: Tensor) -> Tensor:
    """A plate (1, 3, H, W) whose `hole` (1, 1, H, W) was filled, with parts in which the `other` plate shows another
    thing taken from that, where it is nearer to the tones that go on from around the hole."""
    apart = (plate - other).abs().amax(1, keepdim=True) * hole
    if apart.max() < THING:
        return plate
    smooth = fill_smoothly(plate, hole)
    parts, count = ndimage.label((apart[0, 0] > TONE).numpy())
    result = plate
    for number in range(1, count + 1):
        part = torch.from_numpy(parts == number)
        mine, theirs = ((each - smooth).abs().mean(1)[0, part].mean() for each in (plate, other))
        if apart[0, 0, part].max() >= THING and theirs < mine:
            taken = dilate(part[None, None].float(), THING_RIM) * hole
            result = torch.where(taken > 0.5, other, result)
    return result
