"""Back to the photo: only touched pixels change, at full size."""

import torch
from torch import Tensor
from torch.nn import functional as F

from realedit.compositing.composite import Composite
from realedit.files.photo import Photo
from realedit.images import box_blur, resize
from realedit.morphology import feather


def paste_back(photo: Photo, composite: Composite, seam: float) -> Tensor:
    """Put a `composite`, in the photo's size and colours, into the photo: the result (1, 3, H, W), which is the photo's
    own wherever that is not editable. `seam` is the width over which the one becomes the other, a fraction of the
    shorter side."""
    before = photo.tensor()
    return before + feather(composite.editable, seam) * (composite.image - before)


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
