"""From the model's small picture back to the photo: only touched pixels change, at full size."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from inversion.model import DiffusionModel
from realedit.compositing.composite import Composite
from realedit.files.photo import Photo
from realedit.images import box_blur, resize
from realedit.morphology import dilate, feather

CHANGE_WIDTH = 0.03  # of the shorter side at the model's size: tone and shade pass, detail does not


def paste_back(
    model: DiffusionModel, photo: Photo, composite: Composite, restyled: Tensor, generated: Tensor, seam: float
) -> Tensor:
    """Put the model's picture `generated` (1, 3, h, w) into the photo: the result (1, 3, H, W), which is the photo's
    own wherever the `composite`, in the photo's size and colours, is not editable. `seam` is the width over which the
    one becomes the other, a fraction of the shorter side.

    What the model changed is its picture minus its view of the composite; that change, smoothed so
    that it carries tone and shade but no edges, is added to the composite at full size, wherever anything moved. What
    it changed in a new appearance, where `restyled` (1, 1, H, W) is 1, says nothing of the tones beside it.
    """
    result = composite.image
    toned = composite.moved * (1 - restyled)
    if toned.any():
        small = (generated.shape[-1], generated.shape[-2])
        seen = model.decode(model.encode(photo.colours.to_srgb(resize(composite.image, small)))).cpu()
        telling = 1 - dilate((resize(restyled, small) > 0).float(), CHANGE_WIDTH)
        change = _smoothed_change(generated.cpu() - seen, telling)
        enlarged = F.interpolate(change, size=result.shape[-2:], mode="bicubic", align_corners=False)
        result = result + feather(toned, seam) * enlarged
    before = photo.tensor()
    return before + feather(composite.editable, seam) * (result - before)


def paste_regenerated(
    photo: Photo, model_pictures: tuple[Tensor, Tensor], editable: Tensor, drawn: Tensor, seam: float
) -> Tensor:
    """Put a picture that the model sampled anew into the photo: the result (1, 3, H, W), which is the photo's own
    wherever `editable` (1, 1, H, W) is 0.

    `model_pictures` (1, 3, h, w): the photo as the model gives it back, and the new one. Where that is `drawn` anew,
    (1, 1, h, w), it is shown as it is; beside it what differs between the two is added to the photo, which keeps its
    own detail there. `seam` is a width as in `paste_back`.
    """
    before, own = photo.tensor(), photo.colours.from_srgb
    size = (before.shape[-1], before.shape[-2])
    rebuilt, picture = (own(resize(each, size)) for each in model_pictures)
    new = F.interpolate(box_blur(drawn), size=before.shape[-2:], mode="bilinear", align_corners=False)
    result = torch.lerp(before + picture - rebuilt, picture, new).clamp(0, 1)
    return before + feather(editable, seam) * (result - before)


def _smoothed_change(change: Tensor, telling: Tensor) -> Tensor:
    """A change (1, 3, h, w) as it is on average around every pixel, where it is `telling` (1, 1, h, w)."""
    width = (0, 0, *2 * [CHANGE_WIDTH * min(change.shape[-2:])])
    share = ndimage.gaussian_filter(telling.numpy(), width)
    return torch.from_numpy(ndimage.gaussian_filter((change * telling).numpy(), width) / np.maximum(share, 1e-6))
