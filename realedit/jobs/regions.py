"""Where an object is, as a mask of the photo: by what a recipe says, which needs no model, so that a selection shows
soon; or by words that the model knows."""

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from realedit.files.photo import Photo
from realedit.geometry.region import Region
from realedit.objects.mark import Mark
from realedit.objects.selection import select
from realedit.objects.user_masks import load_mask

if TYPE_CHECKING:
    from realedit.sampling.session import Session


def region_mask(where: Region, photo: Photo, words: str, folder: Path, *, offline: bool) -> Tensor:
    """The mask (1, 1, H, W) of an object that is marked in a photo; a segmenter that is asked about no mark is asked
    for the `words`.

    Raises:
        EditError: a mark lies outside the photo, or no one thing is found there.
        PhotoError: a mask's file cannot be used.
        ModelError: the segmenter cannot be had.
    """
    mark = Mark(
        mask=load_mask(folder / where.mask, photo) if where.mask is not None else None,
        box=where.box,
        points=where.points,
        excluded=where.excluded,
        around=load_mask(folder / where.around, photo) if where.around is not None else None,
    )
    if where.segmenter is None or mark.mask is not None:
        return select(photo, mark)
    from realedit.objects.sam import segment  # loads transformers, which nothing else here needs

    return segment(photo, mark, words, where.segmenter, offline=offline)


def named_mask(session: "Session", photo: Photo, prompt: str, words: str) -> Tensor:
    """The mask (1, 1, H, W) of what words of the prompt name, as the model sees it.

    Raises:
        RecognitionError: the model does not know the photo, or does not see them there.
        PhraseError: the prompt does not contain the words exactly once.
        EditError: no one thing is found.
    """
    from realedit.geometry.crop import Crop
    from realedit.objects.localisation import locate_object
    from realedit.objects.recognition import require_words
    from realedit.sampling.inverted_image import invert_crop, model_image

    require_words(session, model_image(session.model, photo), prompt, [words])
    whole = invert_crop(session, photo, Crop.whole(photo.size), prompt)
    session.progress("finding the object")
    return locate_object(session.model, whole, words).mask
