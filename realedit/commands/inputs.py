"""What a recipe says beside its edits: where objects are, and which other photos there are."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from inversion.errors import EditError
from realedit.commands.context import RunOptions
from realedit.editing.request import Hints
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.recipe import Recipe, Region, SourcePhotoEntry
from realedit.geometry.boxes import box_mask
from realedit.objects.source_objects import SourcePhoto
from realedit.objects.user_masks import load_mask


def hints_of(shared: RunOptions, recipe: Recipe, photo: Photo, folder: Path) -> Hints:
    """What the recipe says beside its edits, with the files that it names read.

    Raises:
        EditError: a mark is none.
        PhotoError: a file cannot be read.
    """
    offline = shared.which.offline
    found = {phrase: region_mask(where, photo, folder, offline=offline) for phrase, where in recipe.where.items()}
    masks = {phrase: mask for phrase, mask in found.items() if mask is not None}
    points = {p: where.point for p, where in recipe.where.items() if where.point is not None and p not in masks}
    return Hints(masks, points, source_photos(shared, recipe, folder), recipe.pitch)


def region_mask(where: Region, photo: Photo, folder: Path, *, offline: bool) -> Tensor | None:
    """The mask of an object that is marked by a picture, a box, or a point that a segmenter is asked about; None where
    nothing but a point is known. That marks lie in the photo was checked before."""
    if where.mask is not None:
        return load_mask(folder / where.mask, photo.size)
    if where.point is not None and where.segmenter is not None:
        from realedit.objects.sam import segment_at  # loads transformers, which nothing else here needs

        return segment_at(photo, where.point, where.segmenter, offline=offline)
    return box_mask(where.box, photo.size) if where.box is not None else None


def source_photos(shared: RunOptions, recipe: Recipe, folder: Path) -> dict[str, SourcePhoto]:
    """The other photos that the edits take something from, by the names that the recipe gives them.

    Raises:
        EditError: one has no prompt, or a mark in it is none.
    """
    found = {}
    for name in recipe.other_photos:
        path, told = folder / name, recipe.photos.get(name, SourcePhotoEntry())
        photo = load_photo(path)
        prompt = told.prompt or replace(shared, prompt=None).prompt_of(path, photo)
        mask = region_mask(told.where, photo, folder, offline=shared.which.offline) if told.where else None
        if told.where and mask is None:
            raise EditError(f"in {name}, a point needs a segmenter; or give a mask or a box there")
        found[name] = SourcePhoto(photo, prompt, mask)
    return found
