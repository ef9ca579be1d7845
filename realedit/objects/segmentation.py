"""Which pixels are the object: from its words through attention, sharpened on the photo's colours."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from inversion.errors import EditError
from realedit.images import at_most, resize, to_bytes
from realedit.morphology import largest
from realedit.objects.graph_cut import LIKELY_GROUND, LIKELY_OBJECT, SURE_GROUND, SURE_OBJECT, grab_cut

SURE_ATTENTION, LIKELY_ATTENTION, UNLIKELY_ATTENTION = 0.6, 0.35, 0.1  # attention levels that seed the colour models
ATTENDED_SHARE = 0.3  # of the peak: where a phrase counts as attended to
THIN_PARTS = 0.04  # of the shorter side: thin parts this near may belong to the object whatever attention says
SMALLEST_SIDE = 256  # pixels: smaller photos are enlarged, so that an edge is more than a pixel or two
FINEST_SIDE = 768  # pixels of the longer side at which an object's edge is looked for
ATTENTION_ROUNDS = 5  # of GrabCut


def fine_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which an object's edge is looked for in a photo of this size."""
    return at_most(size, FINEST_SIDE)


def upsampled_attention(maps: Tensor, size: tuple[int, int]) -> Tensor:
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
    factor = -(-SMALLEST_SIDE // min(size))
    large = (size[0] * factor, size[1] * factor)
    level = resize(attention, large)[0, 0].cpu().numpy()
    found = _most_attended(_grab_cut(to_bytes(resize(photo, large)), level), level)
    mask = (resize(torch.from_numpy(found).float()[None, None], size) > 0.5).float()
    if not 0.001 < mask.mean() < 0.7:
        raise EditError(
            f'the model does not see "{phrase}" in one place of this photo; say where it is with --mask or --box'
        )
    return mask


def _grab_cut(rgb: np.ndarray, level: np.ndarray) -> np.ndarray:
    """GrabCut of a picture (H, W, 3) seeded by attention levels (H, W)."""
    labels = np.full_like(level, LIKELY_GROUND, dtype=np.uint8)
    labels[level > LIKELY_ATTENTION] = LIKELY_OBJECT
    labels[level > SURE_ATTENTION] = SURE_OBJECT
    far = np.asarray(ndimage.distance_transform_edt(level <= LIKELY_ATTENTION)) > THIN_PARTS * min(level.shape)
    labels[(level < UNLIKELY_ATTENTION) & far] = SURE_GROUND
    return grab_cut(rgb, labels, ATTENTION_ROUNDS if (labels == SURE_GROUND).any() else 0)


def _most_attended(found: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The connected part with the most attention, its holes filled."""
    return np.asarray(ndimage.binary_fill_holes(largest(found, level)))
