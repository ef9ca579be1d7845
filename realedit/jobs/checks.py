"""What can be told of a recipe and its photo without torch and without a model, told before they are loaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from inversion.errors import EditError, PhotoError
from inversion.phrases import find_phrase
from realedit.edits import Duplicate, Insert, Move, Transfer
from realedit.files.access import is_there
from realedit.files.captions import Prompt
from realedit.files.reading import PhotoFile, load_photo
from realedit.files.recipe import Recipe, SourcePhotoEntry
from realedit.files.recipe_files import check_coordinates
from realedit.geometry.region import Region
from realedit.geometry.transform import Box, ObjectPose, Point
from realedit.inpainting.filler import parse_fill
from realedit.jobs.model_run import ModelRun
from realedit.sampling import cache
from realedit.sampling.background import ANY_BACKGROUND


def assumed_prompt(recipe: Recipe) -> str | None:
    """The prompt where none is given but every object is marked."""
    objects = recipe.objects
    if not objects:
        return ANY_BACKGROUND  # what is set into it comes from elsewhere
    if not all(phrase in recipe.where for phrase in objects):
        return None
    return f"a photo of {' and '.join(objects)}"


def check_recipe(run: ModelRun, recipe: Recipe, path: Path, photo: PhotoFile, folder: Path) -> Prompt:
    """Check a recipe for the `photo` at `path`; `folder` is what the recipe's paths start from. Returns the prompt.

    Raises:
        PhraseError: a prompt does not name an object exactly once.
        EditError: there is no prompt, a mark is none or belongs to no edit, or an object would leave the photo.
        PhotoError: a file cannot be read.
        RealEditError: the size that the user allows the cache is none.
    """
    for phrase in recipe.where:
        if phrase not in recipe.objects:
            known = ", ".join(sorted(recipe.objects))
            raise EditError(f'"{phrase}" is marked, but no edit names it; the edits name: {known}')
    prompt = run.prompt_of(path, photo, recipe.objects, assumed_prompt(recipe))
    for phrase in recipe.objects:
        if phrase not in recipe.where:  # what is marked may have any name
            find_phrase(prompt.text, phrase)
    for region in recipe.where.values():
        check_region(region, folder)
    parse_fill(recipe.fill)
    cache.limit()
    if recipe.behind is not None and not is_there(folder / recipe.behind):
        raise PhotoError(f"the mask {folder / recipe.behind} does not exist")
    for edit in recipe.edits:
        if isinstance(edit, Move | Duplicate) and edit.by is not None and edit.object in recipe.where:
            _check_shift(edit, recipe.where[edit.object], folder)
        if isinstance(edit, Transfer | Insert):
            told = recipe.photos.get(edit.photo, SourcePhotoEntry())
            _check_source(run, folder, edit, told)
    return prompt


def check_region(where: Region, folder: Path) -> None:
    """Check that all marks of a region lie in the photo, and that its pictures are there.

    Raises:
        EditError: a box or a point lies outside the photo.
        PhotoError: a picture does not exist.
    """
    check_coordinates(where)
    for what, name in (("mask", where.mask), ("scribble", where.around)):
        if name is not None and not is_there(folder / name):
            raise PhotoError(f"the {what} {folder / name} does not exist")


def _check_shift(edit: Move | Duplicate, where: Region, folder: Path) -> None:
    """Raises `EditError` if an edit shifts an object that a mask or a box marks out of the photo."""
    pose = _marked_pose(where, folder)
    if pose is not None:
        edit.placement(pose)


def _marked_pose(where: Region, folder: Path) -> ObjectPose | None:
    """The pose of an object as its mask or box shows it; None where that is not plain."""
    if where.mask is None:
        return ObjectPose(_middle(where.box), where.box) if where.box else None
    mask = load_photo(folder / where.mask)
    white = mask.rgb[..., 1] > mask.peak // 2
    rows, columns = white.sum(1), white.sum(0)
    if mask.alpha is not None or not rows.any():
        return None
    centre = _mean_position(columns), _mean_position(rows)
    return ObjectPose(centre, (*centre, *centre))  # of a shift, the centre alone matters


def _middle(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _mean_position(counts: np.ndarray) -> float:
    """Where counts lie on average, as a fraction of their length."""
    return float(np.average(np.arange(counts.size) + 0.5, weights=counts) / counts.size)


def _check_source(run: ModelRun, folder: Path, edit: Transfer | Insert, told: SourcePhotoEntry) -> None:
    """Check that another photo can be read and, unless its object is marked, that its prompt names that."""
    path = folder / edit.photo
    photo = PhotoFile.open(path)
    if told.where is not None:
        check_region(told.where, folder)
        return
    wanted = [edit.from_object] if edit.from_object is not None else []
    prompt = told.prompt or replace(run, prompt=None).prompt_of(path, photo, wanted, other=True).text
    for phrase in wanted:
        find_phrase(prompt, phrase)
