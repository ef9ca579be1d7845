"""Reflections of objects in a glossy ground: what beneath an object looks like it upside down, only fainter."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.images import box_blur
from realedit.morphology import dilate, touching, window

# Where the mirror image may begin, in heights of the object above its lowest row, since what stands farther back stands
# higher up; and its height: a camera that looks down sees it shorter.
MIRROR_LINES, MIRROR_HEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3), (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
LEAST_EXPLAINED = 0.5  # of what differs from the plain ground: so much is explained by the object's image
LEAST_OWN_SHARE = 0.3  # of it that its being darker or lighter alone does not explain
FAINTEST_REFLECTION = 0.03  # share of the object's light that comes back from the ground
LEAST_DETERMINANT = 1e-9  # of two pictures' products, in shares: less means that they are one
LEAST_IMAGE = 0.2  # of the object's pixels: a smaller image tells nothing
VISIBLE_DIFFERENCE = 0.02  # of full brightness: less is not seen
IMAGE_REACH = 0.2  # in heights of the object: how far its image may lie beside the simple one
REFLECTION_EDGE_WIDTH = 0.015  # of the shorter side: how wide the object's blurred edge is at most


@dataclass(frozen=True, eq=False)
class _Image:
    """Where an object's image would be (1, 1, H, W), and how well it explains what is there."""

    where: Tensor
    explains: float


def reflection_mask(photo: Tensor, ground: Tensor, source: Tensor, others: Tensor) -> Tensor:
    """Where (1, 1, H, W) the ground shows an object of the mask `source` (1, 1, H, W) once more: what differs there in
    the photo (1, 3, H, W) from the plain `ground` (1, 3, H, W) is, for the most part, its image mirrored at its foot.
    Nowhere if the ground is matt. What `others` (1, 1, H, W) cover says nothing."""
    nothing = torch.zeros_like(source)
    if not source.any():
        return nothing
    best = max(_images(photo, ground, source, others), key=lambda image: image.explains, default=None)
    if best is None or best.explains < LEAST_EXPLAINED:
        return nothing
    near = _around(best.where, source) * (1 - torch.maximum(source, others))
    differs = box_blur((photo - ground).abs().amax(1, keepdim=True)) > VISIBLE_DIFFERENCE
    found = touching((differs & (near > 0.5))[0, 0].numpy(), (best.where[0, 0] > 0.5).numpy())
    return torch.from_numpy(found).float()[None, None]


def reflection_region(source: Tensor) -> Tensor:
    """Where (1, 1, H, W) an object's reflection may lie."""
    if not source.any():
        return source
    return _around(_mirrored(source, _rows(source)[1], max(MIRROR_HEIGHTS)), source)


def _images(photo: Tensor, ground: Tensor, source: Tensor, others: Tensor) -> list[_Image]:
    """The images that the object may have, each as bright as it fits best; those only that show it."""
    whole = source
    free = 1 - torch.maximum(dilate(source, REFLECTION_EDGE_WIDTH), others)
    box = _window(source)
    photo, ground, source, free = (picture[(..., *box)] for picture in (photo, ground, source, free))
    top, foot = _rows(source)
    found = []
    for base, squeeze in itertools.product(MIRROR_LINES, MIRROR_HEIGHTS):
        line = foot - base * (foot - top)
        where = _mirrored(source, line, squeeze)
        seen = where * free
        if seen.sum() < LEAST_IMAGE * source.sum():
            continue
        within = (_around(where, source) * free).bool()[0, 0]
        image, dimmed = (_mirrored(photo * source, line, squeeze)[0][:, within], (ground * where)[0][:, within])
        explains, share = _explained((photo - ground)[0][:, within], image, dimmed)
        if share > FAINTEST_REFLECTION:
            found.append(_Image(_in_whole(seen, box, whole), explains))
    return found


def _window(source: Tensor) -> tuple[slice, slice]:
    """The rows and columns in which an object and all of its images lie, with what is beside them."""
    top, foot = _rows(source)
    rows, columns = window(source[0, 0].numpy() > 0.5, math.ceil(IMAGE_REACH * (foot - top)) + 1)
    return slice(rows.start, rows.stop + math.ceil(max(MIRROR_HEIGHTS) * (foot - top))), columns


def _in_whole(mask: Tensor, box: tuple[slice, slice], whole: Tensor) -> Tensor:
    """A mask (1, 1, h, w) of a window, in the `whole` picture's size."""
    found = torch.zeros_like(whole)
    found[(..., *box)] = mask
    return found


def _explained(differs: Tensor, image: Tensor, dimmed: Tensor) -> tuple[float, float]:
    """The share of what differs that the image explains, on a ground that is dimmed where it lies; 0 where the
    dimming alone explains nearly as much, or where it cannot be seen. And in how much of its light the image is seen.
    All are (3, n)."""
    power = float(differs.double().square().sum())
    (share, _), both = nonnegative_fit(image, -dimmed, differs)
    _, alone = nonnegative_fit(torch.zeros_like(image), -dimmed, differs)
    if share * float(image.square().mean()) ** 0.5 < VISIBLE_DIFFERENCE or both - alone < LEAST_OWN_SHARE * power:
        return 0.0, share
    return both / power, share


def nonnegative_fit(one: Tensor, two: Tensor, wanted: Tensor) -> tuple[tuple[float, float], float]:
    """How much of each of two, none below 0, makes up what is wanted best by least squares, and how much of its sum of
    squares that explains. All are (3, n). In closed form, since importing a library's takes longer than an edit's other
    sums."""
    a, b, w = (each.flatten().double() for each in (one, two, wanted))
    aa, ab, bb, aw, bw = (float(x @ y) for x, y in ((a, a), (a, b), (b, b), (a, w), (b, w)))
    shares = [(max(aw, 0) / aa if aa else 0.0, 0.0), (0.0, max(bw, 0) / bb if bb else 0.0)]
    determinant = aa * bb - ab * ab
    if determinant > LEAST_DETERMINANT * aa * bb:
        both = (aw * bb - bw * ab) / determinant, (bw * aa - aw * ab) / determinant
        shares += [both] if min(both) > 0 else []
    return max((((x, y), x * aw + y * bw) for x, y in shares), key=lambda fit: fit[1])


def _mirrored(image: Tensor, line: float, squeeze: float) -> Tensor:
    """An image (1, C, H, W) upside down below the row `line`, its height times `squeeze`; nothing above."""
    height, width = image.shape[-2:]
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    above = (line - (rows - line) / squeeze) / height * 2 - 1
    grid = torch.stack(torch.broadcast_tensors(columns[None] / width * 2 - 1, above[:, None]), -1)[None]
    return F.grid_sample(image, grid, align_corners=False) * (rows > line).float()[:, None]


def _around(where: Tensor, source: Tensor) -> Tensor:
    """Where an image may be that lies beside the simple one."""
    top, foot = _rows(source)
    return dilate((where > 0.5).float(), IMAGE_REACH * (foot - top) / min(source.shape[-2:]))


def _rows(source: Tensor) -> tuple[int, int]:
    """The first row of a mask, and the one after its last."""
    rows = (source[0, 0] > 0.5).any(1).nonzero()
    return int(rows[0]), int(rows[-1]) + 1
