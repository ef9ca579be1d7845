"""The files and models that a recipe names: all of them, under other names, and kept inside its folder. No torch."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from inversion.errors import EditError
from realedit.engines import Control
from realedit.files.access import is_file, is_there, native, shown_name
from realedit.files.recipe import Recipe
from realedit.generations import Controlled, Filling, Generation, GlobalAppearance, Redrawing
from realedit.geometry.region import Region
from realedit.settings import ENERGIES

Asked = TypeVar("Asked", bound=Recipe | Generation)
FILLS = ("auto", "migan", "photo", "model", "repaint")  # what fills old places without a model of its own


def named_files(recipe: Recipe | Generation) -> tuple[str, ...]:
    """Every file that a recipe names: other photos, masks, scribbles, what is in front, folders of directions."""
    marked = [name for region in regions(recipe) for name in (region.mask, region.around) if name]
    if isinstance(recipe, GlobalAppearance):
        return (recipe.photo,)
    if not isinstance(recipe, Recipe):
        engine = recipe.engine if isinstance(recipe, Redrawing) else None
        own = engine.named(engine.files) if engine else []
        return (*marked, *(control.picture for control in controls(recipe)), *(path for _, path in own))
    photos = dict.fromkeys((*recipe.other_photos, *recipe.photos))
    maps = (control.picture for control in recipe.controls)
    return (*photos, *marked, *([recipe.behind] if recipe.behind else []), *maps)


def named_models(recipe: Recipe | Generation) -> dict[str, str]:
    """Every model that a recipe names, and what for."""
    found = {region.segmenter: "segmenter" for region in regions(recipe) if region.segmenter}
    found |= {control.model: "ControlNet" for control in controls(recipe)}
    if isinstance(recipe, Redrawing):
        found |= {name: recipe.engine.models[key] for key, name in recipe.engine.named(recipe.engine.models)}
    told = recipe.classes if isinstance(recipe, Controlled) else None
    found |= {told.classifier: "classifier"} if told and told.classifier else {}
    if not isinstance(recipe, Recipe | Filling):
        return found
    if isinstance(recipe, Recipe) and recipe.energies not in ENERGIES:
        found[recipe.energies] = "readout heads"
    return found | ({} if recipe.fill in FILLS else {recipe.fill: "model that fills old places"})


def regions(recipe: Recipe | Generation) -> Iterator[Region]:
    """What is marked, in the photo and in others."""
    if isinstance(recipe, Redrawing | Filling) and recipe.where:
        yield recipe.where
    if not isinstance(recipe, Recipe):
        return
    yield from recipe.where.values()
    yield from (entry.where for entry in recipe.photos.values() if entry.where)


def check_coordinates(where: Region) -> None:
    """Raises `EditError` if a box or a point of a region lies outside the photo."""
    for x, y in (*where.points, *where.excluded):
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise EditError(f"the point {x:g},{y:g} lies outside the photo; give fractions from 0 to 1")
    if where.box is not None:
        left, top, right, bottom = where.box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            typed = f"{left:g},{top:g},{right:g},{bottom:g}"
            raise EditError(f"the box {typed} is not LEFT,TOP,RIGHT,BOTTOM inside the photo")


def controls(recipe: Recipe | Generation) -> tuple[Control, ...]:
    """The maps that a picture follows."""
    return recipe.controls if isinstance(recipe, Recipe | Controlled) else ()


def renamed(recipe: Asked, of_file: Callable[[str], str], of_model: Callable[[str], str]) -> Asked:
    """The same recipe with other names for its files and models."""
    values: dict[str, Any] = recipe.model_dump(by_alias=True, exclude_none=True)
    for each in (values, *values.get("edit", ())):
        if "from" in each:
            each["from"] = of_file(each["from"])
    if "behind" in values:
        values["behind"] = of_file(values["behind"])
    if values.get("fill", FILLS[0]) not in FILLS:
        values["fill"] = of_model(values["fill"])
    if values.get("energies", ENERGIES[0]) not in ENERGIES:
        values["energies"] = of_model(values["energies"])
    if isinstance(recipe, Redrawing):
        engine = recipe.engine
        values["engine"] |= {key: of_file(path) for key, path in engine.named(engine.files)}
        values["engine"] |= {key: of_model(name) for key, name in engine.named(engine.models)}
    for control in values.get("controls", ()):
        control |= {"picture": of_file(control["picture"]), "model": of_model(control["model"])}
    told = values.get("classes", {})
    if "classifier" in told:
        told["classifier"] = of_model(told["classifier"])
    photos: dict[str, Any] = values.get("photos", {})
    if photos:
        values["photos"] = {of_file(name): told for name, told in photos.items()}
    where = values.get("where", {})
    own = [where] if isinstance(recipe, Redrawing | Filling) else where.values()
    for region in (*own, *(told.get("where", {}) for told in photos.values())):
        _rename_region(region, of_file, of_model)
    return cast(Asked, recipe.model_validate(values))


def _rename_region(region: dict[str, Any], of_file: Callable[[str], str], of_model: Callable[[str], str]) -> None:
    for key, change in (("mask", of_file), ("around", of_file), ("segmenter", of_model)):
        if key in region:
            region[key] = change(region[key])


def model_from(folder: Path, name: str) -> str:
    """The name of a model that is said in a file of `folder`: the path, if it lies there, else as it is (a hub id)."""
    return str(folder / name) if is_there(folder / name) else name


def require_inside(names: Iterable[str], folder: Path, root: Path, said_by: str) -> None:
    """Check that files, named from `folder`, lie below `root` in the end, whatever links lead there; of a photo, also
    the text file beside it.

    Raises:
        EditError: one does not; the message says of whom the name is (`said_by`), and how to allow it.
    """
    for name in names:
        for path in (folder / name, (folder / name).with_suffix(".txt")):
            if path.suffix == ".txt" and not is_file(path):
                continue
            if not lies_inside(path, root):
                raise EditError(
                    f"{said_by} names {shown_name(path)}, which lies outside its folder; give --allow-outside if you "
                    "trust it, or copy that file there"
                )


def lies_inside(path: Path, root: Path) -> bool:
    """Whether a file lies below a folder, whatever links lead there."""
    try:
        found = os.path.realpath(native(path))
    except OSError:  # no file has such a name: it is said when it is read
        return True
    return Path(found).is_relative_to(os.path.realpath(root))
