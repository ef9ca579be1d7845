"""Which pixels the user means by a box, points or a rough scribble: the outline that the photo itself has there.

No diffusion model is asked: colour models of object and surroundings (GrabCut, Rother et al. 2004) find the object in
the part of the photo around it, and its edge follows the photo's own at full size (guided filter, He et al. 2010).
"""

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from inversion.errors import EditError
from realedit.files.photo import Photo, Pixels
from realedit.geometry.transform import Box, Point
from realedit.images import at_most, resize, to_bytes
from realedit.morphology import distance_inside
from realedit.objects.graph_cut import LIKELY_GROUND, LIKELY_OBJECT, SURE_GROUND, SURE_OBJECT, grab_cut
from realedit.objects.mark import Mark, check_mark, check_one_thing
from realedit.objects.point_regions import Seeds, contrast, outline_of, region_at

REGION_SIDE = 256  # pixels of the longer side of the photo in which a point's region is searched
CUT_SIDE = 384  # pixels of the longer side of the part in which the object is cut out
EDGE_SIDE = 1000  # the same where its edge is followed; at most a megapixel
CUT_ROUNDS = 5  # of GrabCut
CONTEXT = 0.3  # of a box's longer side: how much of its surroundings is shown around it
SURE_DEPTH = 0.5  # of a rough region's greatest depth: from there inwards it is surely object
LEEWAY, LOOSE_LEEWAY = 0.3, 0.6  # of that depth: how far beyond a region, or a scribble, its object may reach
SEED_RADIUS = 0.01  # of a part's longer side: how far around a point is what lies at it
CENTRAL = 0.3  # of a box's half sides: its middle
LEAST_OF_MIDDLE = 0.5  # of a box's middle that its object fills; where less is found, that is what is around it
SMALL_PART, SMALL_HOLE = 0.1, 0.02  # of an object: parts below it are dropped, holes below it are filled
MOST_OF_BOX = 0.97  # that an object covers whose own outline is not the box
BOX_CONTRAST = 8.0  # CIELAB units over a pixel: from there on a box's own sides are an outline of the photo
LEAST_CONTRAST = 3.0  # the same of any object's outline
GUIDE_TOLERANCE = 1e-3  # the variance of colours in [0, 1] below which no edge is followed


def select(photo: Photo, mark: Mark) -> Tensor:
    """The object that is marked, as a mask (1, 1, H, W), 0 or 1, at the photo's size. The same every time.

    Raises:
        EditError: the mark is none, or what is found there is not one thing.
    """
    if mark.mask is not None:
        return mark.mask
    check_mark(mark, photo.size)
    part, labels, beside = _labels(photo, mark)
    rgb = to_bytes(photo.cropped(part).small(labels.shape[::-1]))
    found = _whole(grab_cut(rgb, labels, CUT_ROUNDS), labels, beside)
    if mark.box is not None:
        middle = _middle(labels)
        if found[middle].sum() < LEAST_OF_MIDDLE * middle.sum():
            labels = np.where(middle, SURE_OBJECT, labels).astype(np.uint8)
            found = _whole(grab_cut(rgb, labels, CUT_ROUNDS), labels, beside)
    _check_outline(rgb, found, labels, mark)
    mask = _at_full_size(photo, part, found)
    check_one_thing(mask)
    return mask


def _labels(photo: Photo, mark: Mark) -> tuple[Pixels, np.ndarray, np.ndarray]:
    """The part of the photo around what is marked, and what the marks say of its pixels, as GrabCut's labels (h, w) at
    the size at which it is cut out; and what lies at excluded points there (h, w)."""
    rough = _rough_region(photo, mark)
    box = mark.box or _box_around(rough)
    part = _part_around(box, photo.size)
    size = at_most((part[2] - part[0], part[3] - part[1]), CUT_SIDE)
    labels = np.full(size[::-1], LIKELY_OBJECT, np.uint8)
    if mark.box is None or mark.around is not None:
        shown = _cut_out(rough, part, photo.size, size)
        labels = _around(shown, LOOSE_LEEWAY if mark.around is not None else LEEWAY)
    if mark.box is not None:
        outside = np.ones(labels.shape, bool)
        outside[_inside(box, part, photo.size, size)] = False
        labels[outside] = SURE_GROUND
    beside = _at_points(mark.excluded, part, photo.size, size)
    labels[beside] = SURE_GROUND
    labels[_at_points(mark.points, part, photo.size, size)] = SURE_OBJECT
    return part, labels, beside


def _rough_region(photo: Photo, mark: Mark) -> np.ndarray:
    """About where the object is (h, w), in any size: the scribble, or what is found at the points; all of it where only
    a box says more."""
    if mark.around is not None:
        return mark.around[0, 0].numpy() > 0.5
    if mark.box is not None:
        return np.ones((1, 1), bool)
    return region_at(photo.displayed(REGION_SIDE), Seeds(mark.points, mark.excluded))


def _box_around(region: np.ndarray) -> Box:
    height, width = region.shape
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def _part_around(box: Box, size: tuple[int, int]) -> Pixels:
    """A box and what surrounds it, in pixels of a photo of this size."""
    left, top, right, bottom = (value * size[k % 2] for k, value in enumerate(box))
    more = CONTEXT * max(right - left, bottom - top) + 2
    return (
        max(0, int(left - more)),
        max(0, int(top - more)),
        min(size[0], int(np.ceil(right + more))),
        min(size[1], int(np.ceil(bottom + more))),
    )


def _inside(box: Box, part: Pixels, whole: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns of a box in a part of a photo that is shown at `size`."""
    x = [(box[k] * whole[0] - part[0]) * size[0] / (part[2] - part[0]) for k in (0, 2)]
    y = [(box[k] * whole[1] - part[1]) * size[1] / (part[3] - part[1]) for k in (1, 3)]
    return slice(round(y[0]), max(round(y[0]) + 1, round(y[1]))), slice(round(x[0]), max(round(x[0]) + 1, round(x[1])))


def _cut_out(region: np.ndarray, part: Pixels, whole: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A region (H, W) of a photo, in whatever size, as the part shows it at `size`."""
    x = (part[0] + (np.arange(size[0]) + 0.5) * (part[2] - part[0]) / size[0]) * region.shape[1] / whole[0] - 0.5
    y = (part[1] + (np.arange(size[1]) + 0.5) * (part[3] - part[1]) / size[1]) * region.shape[0] / whole[1] - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    level = cv2.remap(region.astype(np.float32), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level > 0.5)


def _around(rough: np.ndarray, leeway: float) -> np.ndarray:
    """Labels (h, w) of a rough region: surely object in its depth, none of it far outside."""
    rough = np.asarray(ndimage.binary_fill_holes(rough))
    depth = distance_inside(np.pad(rough, 1))[1:-1, 1:-1]
    labels = np.full(rough.shape, LIKELY_GROUND, np.uint8)
    labels[distance_inside(~rough) > 2 + leeway * depth.max()] = SURE_GROUND
    labels[rough] = LIKELY_OBJECT
    labels[depth > SURE_DEPTH * depth.max()] = SURE_OBJECT
    return labels


def _at_points(points: tuple[Point, ...], part: Pixels, whole: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """What lies at points (h, w), in a part of a photo that is shown at `size`."""
    marked = np.zeros(size[::-1], np.uint8)
    radius = max(1, round(SEED_RADIUS * max(size)))
    for x, y in points:
        column = (x * whole[0] - part[0]) * size[0] / (part[2] - part[0])
        row = (y * whole[1] - part[1]) * size[1] / (part[3] - part[1])
        cv2.circle(marked, (int(column), int(row)), radius, 1, -1)
    return np.asarray(marked > 0)


def _middle(labels: np.ndarray) -> np.ndarray:
    """The middle (h, w) of what may be object, by its labels."""
    rows, columns = np.flatnonzero((labels != SURE_GROUND).any(1)), np.flatnonzero((labels != SURE_GROUND).any(0))
    centre = round((columns[0] + columns[-1]) / 2), round((rows[0] + rows[-1]) / 2)
    axes = round(CENTRAL * len(columns) / 2), round(CENTRAL * len(rows) / 2)
    core = cv2.ellipse(np.zeros_like(labels), centre, axes, 0, 0, 360, 1, -1)
    return np.asarray((core > 0) & (labels != SURE_GROUND))


def _whole(found: np.ndarray, labels: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """What is found without specks and pinholes; of several parts those with what is surely object, and those about as
    large as the largest, but none that lies at an excluded point (`beside`)."""
    parts, count = ndimage.label(found)
    if count == 0:
        return found
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    kept = sizes >= SMALL_PART * sizes.max()
    kept[np.unique(parts[cv2.dilate(beside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0])] = False
    kept[np.unique(parts[labels == SURE_OBJECT])] = True
    kept[0] = False
    inside = kept[parts]
    holes, _ = ndimage.label(~inside)
    small = np.bincount(holes.ravel()) < SMALL_HOLE * inside.sum()
    small[0] = False
    return np.asarray(inside | (small[holes] & (labels != SURE_GROUND)))


def _check_outline(rgb: np.ndarray, found: np.ndarray, labels: np.ndarray, mark: Mark) -> None:
    """Raises `EditError` if what is found has no outline in the photo, or is the box itself without a clear one."""
    outline = outline_of(found)
    if not outline.any():
        return  # nothing, or all there is; the whole photo is judged next
    boxed = mark.box is not None and found.sum() >= MOST_OF_BOX * (labels != SURE_GROUND).sum()
    if float(contrast(rgb)[outline].mean()) < (BOX_CONTRAST if boxed else LEAST_CONTRAST):
        place = "in the box" if mark.box is not None else "where the photo is marked"
        raise EditError(
            f"nothing {place} stands out from what is around it; "
            "leave some surroundings inside a --box, add a --point on the object, or give a --mask"
        )


def _at_full_size(photo: Photo, part: Pixels, found: np.ndarray) -> Tensor:
    """What is found in a part of a photo, as a mask (1, 1, H, W) of the photo, its edge on the photo's own."""
    whole = (part[2] - part[0], part[3] - part[1])
    size = at_most(whole, EDGE_SIDE)
    guide = photo.cropped(part).small(size)[0].permute(1, 2, 0).contiguous().numpy()
    level = cv2.resize(found.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(1.5 * size[0] / found.shape[1]))
    level = cv2.ximgproc.guidedFilter(guide, level, radius, GUIDE_TOLERANCE)
    mask = torch.zeros(1, 1, photo.size[1], photo.size[0])
    sharp = resize(torch.from_numpy(level.clip(0, 1))[None, None], whole) > 0.5
    mask[..., part[1] : part[3], part[0] : part[2]] = sharp.float()
    return mask
