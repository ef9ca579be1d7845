"""Which pixels are the object: from its words through attention, sharpened on the photo's colours."""

from pathlib import Path

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError, PhotoError
from inversion.properties import centroid
from inversion.reference import Reference
from realedit.camera import Camera
from realedit.energies import phrase_map
from realedit.files.reading import load_photo
from realedit.images import resize, to_bytes
from realedit.placement import Box, Place, Point
from realedit.standing import FULL, UNFAMILIAR, Outline, stance

SURE, LIKELY, UNLIKELY = 0.6, 0.35, 0.1  # attention levels that seed the colour models
ATTENDED = 0.3  # of the peak: where a phrase counts as attended to
NEAR = 0.04  # of the shorter side: thin parts this near may belong to the object whatever attention says
FINE = 256  # pixels: smaller photos are enlarged, so that an edge is more than a pixel or two
FINEST = 768  # pixels of the longer side at which an object's edge is looked for
LATE = 0.5  # the fraction of the schedule from which on attention is read: before, places are vague


def attention_mask(reference: Reference, words: tuple[int, ...], size: tuple[int, int]) -> Tensor:
    """The object's attention (1, 1, H, W), 1 at its peak, at `size` (width, height)."""
    maps = phrase_map(reference.attention, words)
    return enlarged(maps[int(LATE * len(maps)) :], size)


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean of maps (n, h, w) as one (1, 1, H, W), relative to its peak."""
    mean = maps.mean(0)[None, None]
    mask = F.interpolate(mean, size=(size[1], size[0]), mode="bicubic", align_corners=False).clamp(min=0)
    return mask / mask.max().clamp(min=1e-9)


def object_mask(photo: Tensor, attention: Tensor, phrase: str) -> Tensor:
    """The object's pixels (1, 1, H, W), 0 or 1, from a photo (1, 3, H, W) and its attention mask.

    Attention says where the object is to within a cell; colour models of object and surroundings
    (GrabCut, Rother et al. 2004), seeded by it, find the edge.

    Raises:
        EditError: the words attend to nothing in particular.
    """
    size = (photo.shape[-1], photo.shape[-2])
    factor = -(-FINE // min(size))
    large = (size[0] * factor, size[1] * factor)
    level = resize(attention, large)[0, 0].cpu().numpy()
    found = _largest(_cut(to_bytes(resize(photo, large)), level), level)
    mask = (resize(torch.from_numpy(found).float()[None, None], size) > 0.5).float()
    if not 0.001 < mask.mean() < 0.7:
        raise EditError(
            f'the model does not see "{phrase}" in one place of this photo; say where it is with --mask or --box'
        )
    return mask


def _cut(rgb: np.ndarray, level: np.ndarray) -> np.ndarray:
    """GrabCut of a picture (H, W, 3) seeded by attention levels (H, W)."""
    labels = np.full_like(level, cv2.GC_PR_BGD, dtype=np.uint8)
    labels[level > LIKELY] = cv2.GC_PR_FGD
    labels[level > SURE] = cv2.GC_FGD
    far = np.asarray(ndimage.distance_transform_edt(level <= LIKELY)) > NEAR * min(level.shape)
    labels[(level < UNLIKELY) & far] = cv2.GC_BGD
    if (labels == cv2.GC_BGD).any():
        cv2.setRNGSeed(0)  # its colour models start from random clusters
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(np.ascontiguousarray(rgb[..., ::-1]), labels, (0, 0, 1, 1), *models, 5, cv2.GC_INIT_WITH_MASK)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def _largest(found: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The connected part with the most attention, its holes filled."""
    parts, count = ndimage.label(found)
    if count == 0:
        return found
    weight = ndimage.sum(level, parts, range(1, count + 1))
    return np.asarray(ndimage.binary_fill_holes(parts == 1 + int(np.argmax(weight))))


def load_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """A mask file as (1, 1, H, W), 1 where it is brighter than half, at the photo's size."""
    mask = load_photo(path).tensor().mean(1, keepdim=True)
    if mask.shape[-2:] != (size[1], size[0]):
        mask = resize(mask, size)
    mask = (mask > 0.5).float()
    if not mask.any() or mask.all():
        raise PhotoError(
            f"the mask {path} is {'all' if mask.any() else 'nowhere'} white; paint the object white on black"
        )
    return mask


def box_mask(box: Box, size: tuple[int, int]) -> Tensor:
    """A box of fractions as a mask (1, 1, H, W)."""
    width, height = size
    mask = torch.zeros(1, 1, height, width)
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    mask[..., top:bottom, left:right] = 1
    return mask


def mask_centre(mask: Tensor) -> Point:
    """The centre of mass (x, y) of a mask, in fractions."""
    x, y = centroid(mask[0, 0]).tolist()
    return x, y


def mask_box(mask: Tensor) -> Box:
    """The box around a mask, in fractions."""
    height, width = mask.shape[-2:]
    rows = mask[0, 0].amax(1).nonzero()[:, 0]
    columns = mask[0, 0].amax(0).nonzero()[:, 0]
    return (
        int(columns[0]) / width,
        int(rows[0]) / height,
        (int(columns[-1]) + 1) / width,
        (int(rows[-1]) + 1) / height,
    )


def mask_place(mask: Tensor, camera: Camera | None = None) -> Place:
    """Where the object of a mask is, and if the `camera` that took the photo is known, how it stands there."""
    centre, box = mask_centre(mask), mask_box(mask)
    if camera is None:
        return Place(centre, box)
    outline = Outline.of(mask)
    found = stance(outline, camera)
    base, resembled = found.base, found.misfit < UNFAMILIAR and outline.fills > FULL and not outline.cut
    lowest, nearness = camera.ahead(base, box[3]), camera.nearness(base[1])
    return Place(centre, box, base, lowest, nearness, found.points if resembled else None)
