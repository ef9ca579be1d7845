"""What is marked in a photo, filled: nothing is moved, and all other pixels are the photo's own."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inversion.errors import EditError, RecognitionError
from realedit.editing.plate import PlateFill
from realedit.files.photo import Photo
from realedit.geometry.crop import Crop
from realedit.inpainting.filler import (
    AutomaticFill,
    FillChoice,
    Filler,
    GivenFill,
    MiganFill,
    ModelFill,
    PhotoFill,
    RepaintFill,
    load_filler,
)
from realedit.inpainting.repaint_filler import RepaintFiller
from realedit.methods.controlnet import ControlMap
from realedit.morphology import dilate
from realedit.objects.recognition import knows_photo, may_know
from realedit.sampling.inverted_image import check_memory, model_image
from realedit.sampling.session import Session

# What is so near beyond a mark may still be of what is marked: pixels, or of the shorter side if that is more.
LEAST_RIM, RIM_WIDTH = 3, 0.01


def fill_marked(
    session: Session,
    photo: Photo,
    words: str,
    mask: Tensor,
    choice: FillChoice,
    controls: Sequence[ControlMap] = (),
) -> Photo:
    """A photo with its `mask` (1, 1, H, W) filled; `words` say what is to be seen then. Automatically it is RePaint
    where the model knows the photo, else MI-GAN. `controls`: maps of the whole photo.
    Nothing is matched to the rim of the mask: marks end inside things, whose colours would bleed in.

    Raises:
        RecognitionError: RePaint is to draw in a photo that the model does not know.
        EditError: the choice needs objects, or there is nothing to go by, or a map has another shape than the photo, or
            what fills follows none.
    """
    check_memory(Crop.whole(photo.size))
    for each in controls:
        each.check(photo.size)
    filler = _filler(session, photo, choice)
    if controls:
        if not isinstance(filler, RepaintFiller):
            raise EditError("only what is drawn follows a control map; give --fill repaint, and a photo of its model")
        filler = replace(filler, controls=controls)
    pixels = photo.colours.to_srgb(photo.tensor())
    session.progress("filling")
    hole = dilate(mask, max(RIM_WIDTH, LEAST_RIM / min(photo.size)))
    filled, _ = PlateFill(session, filler, words)(pixels, hole, torch.zeros_like(mask))
    return photo.painted(photo.colours.from_srgb(filled), mask, photo.opacity())


def _filler(session: Session, photo: Photo, choice: FillChoice) -> FillChoice | Filler:
    """What the choice means for this photo, loaded."""
    if isinstance(choice, ModelFill):
        raise EditError("--fill model continues what lies behind objects; for what is marked take repaint or photo")
    if isinstance(choice, GivenFill):
        return load_filler(choice, str(session.model.device))
    if isinstance(choice, MiganFill | PhotoFill):
        return choice
    image = model_image(session.model, photo)
    if not (may_know(session.model, image) and knows_photo(session, image)):
        if isinstance(choice, AutomaticFill):
            return MiganFill()
        name = session.model.name
        raise RecognitionError(f"{name} does not know such photos; take --fill migan, or another --model")
    return RepaintFiller(session, choice.engine) if isinstance(choice, RepaintFill) else RepaintFiller(session)
