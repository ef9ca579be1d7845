"""Nearer looks at an object: its words attend as finely as the network has cells, so they are asked again where the
object fills what the model sees."""

import contextlib

import torch
from torch import Tensor

from inversion.errors import EditError
from inversion.model import DiffusionModel
from inversion.taps import tap
from realedit.energies import phrase_map
from realedit.files.photo import Photo
from realedit.framing import Nearness, frame_around
from realedit.glances import glances
from realedit.images import at_most, resize, working_size
from realedit.masks import FINEST, enlarged, mask_box, object_mask
from realedit.settings import DEFAULTS

# First near enough to see what of the object was missed from afar, then so near that it fills the view.
LOOKS = Nearness(share=0.5, enlarged=6.0, enough=0.8), Nearness(share=0.8, enlarged=8.0, enough=0.8)
LATE = 0.84, 0.92  # the fractions of the schedule at which attention is read: from there on it is sharp
SEED = 0  # where things are does not depend on what is drawn
SAME = 0.5  # the overlap (IoU) with the mask before; a mask that overlaps it less is of another thing


def seen_nearer(model: DiffusionModel, photo: Photo, prompt: str, phrase: str, mask: Tensor) -> Tensor:
    """A mask (1, 1, H, W), found from afar, of the object that a phrase of the prompt names, found again from nearer
    and nearer; as it was where nothing nearer is to be seen."""
    words = model.positions(prompt, phrase)
    for nearness in LOOKS:
        box = mask_box(mask)
        frame = frame_around([box], [box], photo.size, model.native_size, nearness)
        if frame.is_whole:
            break
        part = photo.cropped(frame.box)
        fine = at_most(part.size, FINEST)
        with contextlib.suppress(EditError):
            found = object_mask(part.small(fine), attended(model, part, prompt, words, fine), phrase)
            there = frame.in_whole((resize(found, part.size) > 0.5).float())
            if (there * mask).sum() > SAME * torch.maximum(there, mask).sum():
                mask = there
    return mask


@torch.no_grad()
def attended(model: DiffusionModel, photo: Photo, prompt: str, words: tuple[int, ...], size: tuple[int, int]) -> Tensor:
    """Where a photo attends to words of its prompt, (1, 1, H, W) at `size`, 1 at the peak, as a few glances tell."""
    latent = model.encode(photo.small(working_size(photo.size, model.native_size, model.pixel_multiple)))
    text, schedule = model.embed(prompt), model.schedule(DEFAULTS.steps)
    maps = []
    for glance in glances(latent, schedule, LATE, SEED):
        with tap(model.unet, model.sites) as tape:
            model.predict(glance.z, glance.timestep, [text])
        maps.append(phrase_map(tape.attention, words))
    return enlarged(torch.cat(maps), size)
