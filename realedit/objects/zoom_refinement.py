"""Masks refined in zoomed crops: attention is as fine as the network has cells, so it is read again where the object
fills what the model sees."""

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import ZoomLimits, crop_around
from realedit.images import resize, working_size
from realedit.objects.attention_probe import probe
from realedit.objects.segmentation import fine_size, object_mask
from realedit.sampling.session import Session

# First near enough to see what of the object was missed from afar, then so near that it fills the view.
ZOOM_STAGES = ZoomLimits(share=0.5, enlarged=6.0, enough=0.8), ZoomLimits(share=0.8, enlarged=8.0, enough=0.8)
SHARP_LEVELS = 0.84, 0.92  # the fractions of the schedule at which attention is read: from there on it is sharp
NEAR_GROUPED = 0.5  # of attention that is grouped: from near, the parts of a checked thing are groups of their own
SAME_OBJECT_OVERLAP = 0.5  # the overlap (IoU) with the mask before; a mask that overlaps it less is of another thing


def refine_by_zoom(model: DiffusionModel, photo: Photo, prompt: str, phrase: str, mask: Tensor) -> Tensor:
    """A mask (1, 1, h, w) of all of a photo, found from afar, of the object that a phrase of the prompt names, found
    again from nearer and nearer; as it was where nothing nearer is to be seen. How the photo is edited changes nothing
    of it."""
    far = near = (resize(mask, photo.size) > 0.5).float()
    for limits in ZOOM_STAGES:
        near = _refined_within(model, photo, prompt, phrase, near, limits)
    if torch.equal(far, near):
        return mask
    there = (resize(near, (mask.shape[-1], mask.shape[-2])) > 0.5).float()
    return there if there.any() else mask


def _refined_within(
    model: DiffusionModel, photo: Photo, prompt: str, phrase: str, mask: Tensor, limits: ZoomLimits
) -> Tensor:
    """The same for a mask (1, 1, H, W) at the photo's size, from so near."""
    box = mask_box(mask)
    crop = crop_around([box], [box], photo.size, model.native_size, limits)
    if crop.is_whole:
        return mask
    part = photo.cropped(crop.box)
    size = working_size(part.size, model.native_size, model.pixel_multiple)
    seen = probe(Session(model), part.small(size), prompt, SHARP_LEVELS)
    level = seen.attention(model.positions(prompt, phrase), NEAR_GROUPED)
    try:
        found = object_mask(part.small(fine_size(part.size)), level, phrase)
    except EditError:
        return mask
    there = crop.in_photo((resize(found, part.size) > 0.5).float())
    return there if (there * mask).sum() > SAME_OBJECT_OVERLAP * torch.maximum(there, mask).sum() else mask
