"""What a recipe says of where an object is, as a mask of the photo. Needs no model: a selection shows soon."""

from pathlib import Path

from torch import Tensor

from realedit.files.photo import Photo
from realedit.files.recipe import Region
from realedit.objects.selection import Mark, select
from realedit.objects.user_masks import load_mask


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
