"""What the page asks for, as a recipe: the same values, but that files and masks are named by what the page was
given."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inversion.errors import EditError
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import FILLS

TAKEN_AS_IT_IS = ("prompt", "mode", "method", "steps", "seed", "pitch", "fill", "shadow", "feather")


def recipe_of(values: Mapping[str, Any], regions: Callable[[int], Any], others: Mapping[str, Path]) -> Recipe:
    """The recipe of what the page sent: `where` names selections by their numbers, which `regions` gives as a recipe
    says them; an edit's `from` is one of the `others`, photos by the names that the page gave them.

    Raises:
        EditError: it is no recipe, or names what the page was not given.
    """
    edits = values.get("edit")
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise EditError("no edit is given; drag the thing, or choose what to do with it")
    for edit in edits:
        if "from" in edit and edit["from"] not in others:
            raise EditError("the other photo is not here any more; choose it again")
    asked = {name: values[name] for name in TAKEN_AS_IT_IS if values.get(name) is not None}
    if asked.get("fill", FILLS[0]) not in FILLS:
        raise EditError(f"the old place can be filled by {', '.join(FILLS)}")
    asked |= {"edit": edits, "where": _where(values.get("where"), regions)}
    told: dict[str, Any] = {}
    for name, entry in dict(values.get("photos") or {}).items():
        if name in others and isinstance(entry, dict):
            marked = _where({name: entry["where"]}, regions) if entry.get("where") else {}
            told[name] = {"prompt": entry.get("prompt") or None, "where": marked.get(name)}
    try:
        return Recipe.model_validate(asked | {"photos": told})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
        raise EditError(f"this cannot be done: {place}: {first['msg']}") from error


def _where(marked: Any, regions: Callable[[int], Any]) -> dict[str, Any]:
    """Regions by the names of what is there."""
    found = {}
    for name, number in dict(marked or {}).items():
        region = regions(number)
        if region is not None:
            found[str(name)] = region.model_dump(by_alias=True, exclude_none=True)
    return found
