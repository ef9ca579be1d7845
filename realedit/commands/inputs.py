"""What a recipe says beside its edits: where objects are, and which other photos there are. Heavy imports stay
inside functions."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inversion.errors import EditError
from realedit.commands.context import RunOptions
from realedit.files.recipe import Recipe, Region
from realedit.files.recipe import SourcePhotoEntry as OtherInRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from realedit.files.photo import Photo
    from realedit.objects.source_objects import SourcePhoto


def assumed_prompt(recipe: Recipe) -> str | None:
    """The prompt where none is given but every object is marked."""
    objects = list(dict.fromkeys(phrase for edit in recipe.edits() for phrase in edit.objects))
    if not objects or not all(phrase in recipe.where for phrase in objects):
        return None
    return f"a photo of {' and '.join(objects)}"


def where_marked(
    recipe: Recipe, photo: "Photo", folder: Path, *, offline: bool
) -> tuple[dict[str, "Tensor"], dict[str, tuple[float, float]]]:
    """The masks and points of the objects that are marked."""
    known = {phrase for edit in recipe.edits() for phrase in edit.objects}
    for phrase in recipe.where:
        if phrase not in known:
            raise EditError(f'"{phrase}" is marked, but no edit names it; the edits name: {", ".join(sorted(known))}')
    masks = {p: m for p, w in recipe.where.items() if (m := region_mask(w, photo, folder, offline=offline)) is not None}
    return masks, {p: w.point for p, w in recipe.where.items() if w.point is not None and p not in masks}


def region_mask(where: Region, photo: "Photo", folder: Path, *, offline: bool) -> "Tensor | None":
    """The mask of an object that is marked by a picture, a box, or a point that a segmenter is asked about."""
    from realedit.objects.user_masks import load_mask

    if where.segmenter is not None and where.point is None:
        raise EditError("a segmenter is asked what lies at a point; give one with --point")
    if where.point is not None and not all(0 <= v <= 1 for v in where.point):
        x, y = where.point
        raise EditError(f"the point {x:g},{y:g} lies outside the photo; give fractions from 0 to 1")

    if where.mask is not None:
        return load_mask(folder / where.mask, photo.size)
    if where.point is not None and where.segmenter is not None:
        from realedit.objects.sam import segment_at

        return segment_at(photo, where.point, where.segmenter, offline=offline)
    if where.box is None:
        return None
    from realedit.geometry.boxes import box_mask

    left, top, right, bottom = where.box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise EditError(f"the box {left:g},{top:g},{right:g},{bottom:g} is not LEFT,TOP,RIGHT,BOTTOM inside the photo")
    return box_mask(where.box, photo.size)


def other_photos(shared: RunOptions, recipe: Recipe, folder: Path) -> dict[str, "SourcePhoto"]:
    """The other photos that the edits take something from, by the names that the recipe gives them."""
    if not recipe.photos_named():
        return {}
    from realedit.files.reading import load_photo
    from realedit.objects.source_objects import SourcePhoto

    found = {}
    for name in recipe.photos_named():
        path, told = folder / name, recipe.photos.get(name, OtherInRecipe())
        photo = load_photo(path)
        prompt = told.prompt or replace(shared, prompt=None).prompt_of(path, photo)
        mask = region_mask(told.where, photo, folder, offline=shared.which.offline) if told.where else None
        if told.where and mask is None:
            raise EditError(f"in {name}, a point needs a segmenter; or give a mask or a box there")
        found[name] = SourcePhoto(photo, prompt, mask)
    return found
