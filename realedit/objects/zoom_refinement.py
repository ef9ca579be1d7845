"""Nearer looks at an object: its words attend as finely as the network has cells, so they are asked again where the
object fills what the model sees."""

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import Nearness, frame_around
from realedit.images import at_most, resize, working_size
from realedit.objects.attention_probe import look_mask
from realedit.objects.segmentation import FINEST, object_mask
from realedit.settings import DEFAULTS

# First near enough to see what of the object was missed from afar, then so near that it fills the view.
LOOKS = Nearness(share=0.5, enlarged=6.0, enough=0.8), Nearness(share=0.8, enlarged=8.0, enough=0.8)
LATE = 0.84, 0.92  # the fractions of the schedule at which attention is read: from there on it is sharp
SAME = 0.5  # the overlap (IoU) with the mask before; a mask that overlaps it less is of another thing


def seen_nearer(model: DiffusionModel, photo: Photo, prompt: str, phrase: str, mask: Tensor) -> Tensor:
    """A mask (1, 1, h, w) of all of a photo, found from afar, of the object that a phrase of the prompt names, found
    again from nearer and nearer; as it was where nothing nearer is to be seen. How the photo is edited changes nothing
    of it."""
    far = near = (resize(mask, photo.size) > 0.5).float()
    for nearness in LOOKS:
        near = _seen_from(model, photo, prompt, phrase, near, nearness)
    if torch.equal(far, near):
        return mask
    there = (resize(near, (mask.shape[-1], mask.shape[-2])) > 0.5).float()
    return there if there.any() else mask


def _seen_from(
    model: DiffusionModel, photo: Photo, prompt: str, phrase: str, mask: Tensor, nearness: Nearness
) -> Tensor:
    """The same for a mask (1, 1, H, W) at the photo's size, from so near."""
    box = mask_box(mask)
    frame = frame_around([box], [box], photo.size, model.native_size, nearness)
    if frame.is_whole:
        return mask
    part = photo.cropped(frame.box)
    size = working_size(part.size, model.native_size, model.pixel_multiple)
    level = look_mask(model, part.small(size), prompt, model.positions(prompt, phrase), DEFAULTS, LATE)
    try:
        found = object_mask(part.small(at_most(part.size, FINEST)), level, phrase)
    except EditError:
        return mask
    there = frame.in_whole((resize(found, part.size) > 0.5).float())
    return there if (there * mask).sum() > SAME * torch.maximum(there, mask).sum() else mask
