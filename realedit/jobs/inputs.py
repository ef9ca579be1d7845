"""What a recipe says beside its edits: where objects are, and which other photos there are."""

from dataclasses import replace
from pathlib import Path

from realedit.editing.request import Hints
from realedit.edits import Insert, Transfer
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.recipe import Recipe, SourcePhotoEntry
from realedit.jobs.control_maps import control_maps
from realedit.jobs.model_run import ModelRun, quiet_libraries
from realedit.jobs.regions import region_mask
from realedit.methods.readout import map_reading
from realedit.objects.source_objects import UNNAMED, SourcePhoto
from realedit.objects.user_masks import load_mask


def hints_of(run: ModelRun, recipe: Recipe, photo: Photo, folder: Path) -> Hints:
    """What the recipe says beside its edits, with the files that it names read.

    Raises:
        EditError: a mark is none.
        PhotoError: a file cannot be read.
        ModelError: what sees a map cannot be had, or what energies read is another model's.
    """
    quiet_libraries(notices=not run.quiet)
    offline, read = run.which.offline, map_reading(run.model, recipe.energies)
    masks = {p: region_mask(where, photo, p, folder, offline=offline) for p, where in recipe.where.items()}
    front = load_mask(folder / recipe.behind, photo) if recipe.behind else None
    maps = tuple(control_maps(run, recipe, folder))
    return Hints(masks, source_photos(run, recipe, folder), recipe.pitch, front, maps, read)


def _taken_from(recipe: Recipe, name: str) -> str | None:
    """The phrase of what the edits take from another photo, where they say one."""
    taken = [edit.from_object for edit in recipe.edits if isinstance(edit, Transfer | Insert) and edit.photo == name]
    return next((phrase for phrase in taken if phrase), None)


def source_photos(run: ModelRun, recipe: Recipe, folder: Path) -> dict[str, SourcePhoto]:
    """The other photos that the edits take something from, by the names that the recipe gives them.

    Raises:
        EditError: one has no prompt, or a mark in it is none.
    """
    found = {}
    for name in recipe.other_photos:
        path, told = folder / name, recipe.photos.get(name, SourcePhotoEntry())
        photo, phrase = load_photo(path), _taken_from(recipe, name) or UNNAMED
        assumed = f"a photo of {phrase}" if told.where else None
        alone = replace(run, prompt=None)
        prompt = told.prompt or alone.prompt_of(path, photo, [phrase], assumed, other=True).text
        mask = region_mask(told.where, photo, phrase, folder, offline=run.which.offline) if told.where else None
        found[name] = SourcePhoto(photo, prompt, mask)
    return found
