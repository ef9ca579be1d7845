"""Which pixels the user means by a box, points or a rough scribble: the outline that the photo itself has there.

No diffusion model is asked, but a small network for just this, MobileSAM, which sees the part of the photo around what
is marked.
"""

import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from inversion.errors import EditError, Notice
from realedit.files.photo import Photo, Pixels
from realedit.geometry.boxes import mask_box
from realedit.geometry.transform import Box
from realedit.images import at_most, resize, to_bytes
from realedit.morphology import distance_inside
from realedit.objects.likelihood import likelihood
from realedit.objects.mark import Mark, check_mark, check_selected
from realedit.objects.mobile_sam import Prompt
from realedit.objects.outline import contrast, outline_of
from realedit.objects.seen_part import SHOWN_TO_SAM, SeenPart, part_around, seen_whole
from realedit.objects.things_in_box import fit, things_in

SMALL_IN_VIEW = 0.5  # of a photo that has more pixels than are seen of it: what is smaller is looked at from nearer
SCRIBBLE_POINTS = 4  # deepest places of a scribble, which are on its object
LEAST_SHARED = 0.75  # of the smaller of a scribble and what is found at those places: what both cover
# A box may be a little small: so much of its object may lie beyond it; of more, what is this much of its sides away is
# cut off.
MOST_BEYOND, BEYOND_BOX = 0.15, 0.1
SURE_LIKELIHOOD = 1.7  # of what a box means: below it holds several things, or none of them whole
LEAST_FIT = 0.6  # of the box around several things with a box (IoU) that means them all
SMALL_PART, SMALL_HOLE = 0.1, 0.02  # of an object: parts below it are dropped, holes below it are filled
OUTLINE_SIDE = 384  # pixels of the longer side of the part in which an outline's contrast is judged
MOST_OF_BOX = 0.97  # that an object covers whose own outline is not the box
BOX_CONTRAST = 8.0  # CIELAB units over a pixel: from there on a box's own sides are an outline of the photo
LEAST_CONTRAST = 3.0  # the same of any object's outline


@dataclass(frozen=True, eq=False)
class Found:
    """What is meant in a part of a photo: above 0 in its `level` (h, w), one thing, or what may be `several`."""

    part: SeenPart
    level: Tensor
    several: bool = False


def select(photo: Photo, mark: Mark) -> Tensor:
    """The object that is marked, as a mask (1, 1, H, W), 0 or 1, at the photo's size. The same every time.

    Raises:
        EditError: the mark is none, or what is found there is not one thing.
    """
    if mark.mask is not None:
        return mark.mask
    check_mark(mark, photo.size)
    if mark.around is not None:
        found = _around(photo, mark, mark.around)
    elif mark.box is not None:
        found = _in_box(photo, mark, mark.box)
    else:
        found = _at_points(photo, mark)
    _check_outline(photo.cropped(found.part.part), found.level, mark)
    mask = _at_full_size(photo.size, found.part.part, found.level)
    check_selected(mask, several=found.several)
    return mask


def _at_points(photo: Photo, mark: Mark) -> Found:
    """What points alone mean, in the whole photo, or where it is small there, in the part around it."""
    whole = seen_whole(photo)
    found, _ = _meant(whole, mark, Prompt(mark.points, mark.excluded))
    if not (found > 0).any():
        return Found(whole, found)
    box = mask_box((found > 0).float()[None, None])
    extent = max((box[k + 2] - box[k]) * photo.size[k] for k in range(2))
    seen_finely = max(photo.size) <= SHOWN_TO_SAM or extent >= SMALL_IN_VIEW * max(photo.size)
    return Found(whole, found) if seen_finely else _in_box(photo, mark, box)


def _in_box(photo: Photo, mark: Mark, box: Box) -> Found:
    """What a box, and any points, mean in the part around it."""
    part = SeenPart(photo, part_around(box, mark.points, photo.size))
    prompts = [Prompt(mark.points, mark.excluded, box)]
    if mark.points and mark.excluded:  # these may say more than a box that holds both
        prompts.append(Prompt(mark.points, mark.excluded))
    found, likely = _meant(part, mark, *prompts)
    if likely >= SURE_LIKELIHOOD or mark.points:
        return Found(part, found, several=mark.box is not None and fit(found, part, box) > LEAST_FIT)
    every = things_in(part, box, found)
    if fit(every, part, box) > max(LEAST_FIT, fit(found, part, box)):
        _say("the box holds several things, which are taken together; see them with `realedit mask`")
        return Found(part, every, several=True)
    _say("the box fits no one thing; see what is selected with `realedit mask`, draw it closer, or add a --point")
    return Found(part, found)


def _say(note: str) -> None:
    warnings.warn(Notice(note), stacklevel=2)


def _around(photo: Photo, mark: Mark, scribble: Tensor) -> Found:
    """What a scribble (1, 1, H, W), and any box or points, mean in the part around it: what is where it is deepest, or
    if neither of the two lies in the other, what its box means."""
    box = mark.box or mask_box(scribble)
    part = SeenPart(photo, part_around(box, mark.points, photo.size))
    shown = part.shown(scribble[0, 0].numpy())
    deepest = tuple(part.point(*place) for place in _deepest(shown))
    found, _ = _meant(part, mark, Prompt(mark.points + deepest, mark.excluded, mark.box))
    inside = found.numpy() > 0
    if (inside & shown).sum() <= LEAST_SHARED * min(inside.sum(), shown.sum()):
        found, _ = _meant(part, mark, Prompt(mark.points, mark.excluded, box))
    return Found(part, found)


def _meant(part: SeenPart, mark: Mark, *prompts: Prompt) -> tuple[Tensor, float]:
    """The level (h, w) of the likeliest mask of those that prompts may mean, and how likely it is."""
    proposals = [(prompt, part.proposals(prompt)) for prompt in prompts]
    levels = torch.cat([each.levels for _, each in proposals])
    likely = torch.cat([likelihood(each, prompt) for prompt, each in proposals])
    level = levels[int(likely.argmax())]
    level = level if mark.box is None else _in_reach(level, mark.box, part)
    return _one_thing(level, part, mark), float(likely.max())


def _in_reach(level: Tensor, box: Box, part: SeenPart) -> Tensor:
    """A level (h, w) without what is too far from its box, unless that is little."""
    across, down = BEYOND_BOX * (box[2] - box[0]), BEYOND_BOX * (box[3] - box[1])
    top, left = part.pixel((box[0] - across, box[1] - down))
    bottom, right = part.pixel((box[2] + across, box[3] + down))
    near = level.clamp(max=-1)
    near[top : bottom + 1, left : right + 1] = level[top : bottom + 1, left : right + 1]
    return level if (near > 0).sum() >= (1 - MOST_BEYOND) * (level > 0).sum() else near


def _deepest(shown: np.ndarray) -> list[tuple[int, int]]:
    """Places (row, column) in the depth of a scribble (h, w), apart from each other."""
    room = np.asarray(distance_inside(np.pad(shown, 1))[1:-1, 1:-1])
    rows, columns = np.indices(room.shape)
    places = []
    for _ in range(SCRIBBLE_POINTS):
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        places.append((int(row), int(column)))
        room = np.minimum(room, 0.5 * np.hypot(rows - row, columns - column))
    return places


def _one_thing(level: Tensor, part: SeenPart, mark: Mark) -> Tensor:
    """A level (h, w) without specks and pinholes; of several parts above 0 it keeps those that are marked, and those
    about as large as the largest, but none that is excluded."""
    found = level.numpy() > 0
    parts, count = ndimage.label(found)
    if count == 0:
        return level
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = sizes >= SMALL_PART * sizes.max()
    kept[[parts[part.pixel(point)] for point in mark.points]] = True
    kept[[0, *(parts[part.pixel(point)] for point in mark.excluded)]] = False
    inside = kept[parts]
    holes, _ = ndimage.label(~inside)
    small = np.bincount(holes.ravel()) < SMALL_HOLE * inside.sum()
    small[[0, *(holes[part.pixel(point)] for point in mark.excluded)]] = False
    whole = torch.from_numpy(inside | small[holes])
    return torch.where(whole == (level > 0), level, whole.float() - 0.5)


def _check_outline(part: Photo, found: Tensor, mark: Mark) -> None:
    """Raises `EditError` if what is found in a part of a photo has no outline there, or is the box itself without a
    clear one."""
    rgb = to_bytes(part.small(at_most(part.size, OUTLINE_SIDE)))
    inside = cv2.resize((found > 0).float().numpy(), rgb.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5
    if not inside.any():
        return  # which is said next
    outline = outline_of(inside)
    strength = float(contrast(rgb)[outline].mean()) if outline.any() else 0.0
    sides = np.ptp(np.argwhere(inside), axis=0) + 1
    boxed = mark.box is not None and inside.sum() >= MOST_OF_BOX * sides.prod()
    if strength < (BOX_CONTRAST if boxed else LEAST_CONTRAST):
        raise EditError(
            f"nothing {_place(mark)} stands out from what is around it; "
            "leave some surroundings inside a --box, add a --point on the object, or give a --mask"
        )


def _place(mark: Mark) -> str:
    if mark.box is not None:
        return "in the box"
    return f"at the point {mark.points[0][0]:g},{mark.points[0][1]:g}" if mark.points else "under the scribble"


def _at_full_size(size: tuple[int, int], part: Pixels, found: Tensor) -> Tensor:
    """What is above 0 in the level (h, w) of a part, as a mask (1, 1, H, W) of a photo of this (width, height)."""
    mask = torch.zeros(1, 1, size[1], size[0])
    fine = resize(found.sigmoid()[None, None], (part[2] - part[0], part[3] - part[1])) > 0.5
    mask[..., part[1] : part[3], part[0] : part[2]] = fine.float()
    return mask
