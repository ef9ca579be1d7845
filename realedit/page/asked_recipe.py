"""What the page asks for, as a recipe: the same values, but that files and masks are named by what the page was
given."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from inversion.errors import EditError
from realedit.files.recipe import Recipe
from realedit.geometry.region import Region
from realedit.page.offered import Offered

TAKEN_AS_IT_IS = ("prompt", "mode", "method", "steps", "seed", "pitch", "fill", "shadow", "feather")


class Given(Protocol):
    """What a page was given, by the numbers and names that it knows."""

    @property
    def offered(self) -> Offered:
        """What of this machine it may use."""

    def other_names(self) -> set[str]:
        """The names of the other photos."""

    def region(self, number: object) -> Region | None:
        """What a recipe says of where a selection is; None where its words say it."""

    def marked_region(self, number: object) -> Region:
        """The same where no words can say it."""

    def front(self, numbers: Iterable[object]) -> str:
        """The name of a mask of several selections."""


def recipe_of(values: Mapping[str, Any], given: Given) -> Recipe:
    """The recipe of what the page sent: `where` names selections by their numbers, and `behind` those that stay in
    front; an edit's `from` is the name of another photo.

    Raises:
        EditError: it is no recipe, or names what the page was not given.
    """
    edits, others = values.get("edit"), given.other_names()
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise EditError("no edit is given; drag the thing, or choose what to do with it")
    for edit in edits:
        if "from" in edit and edit["from"] not in others:
            raise EditError("the other photo is not here any more; choose it again")
    asked = {name: values[name] for name in TAKEN_AS_IT_IS if values.get(name) is not None}
    check_fill(asked.get("fill"), given.offered)
    asked |= {"edit": edits, "where": _where(values.get("where"), given)}
    front = values.get("behind")
    if isinstance(front, list) and front:
        asked["behind"] = given.front(front)
    told: dict[str, Any] = {}
    for name, entry in dict(values.get("photos") or {}).items():
        if name in others and isinstance(entry, dict):
            marked = _where({name: entry["where"]}, given) if entry.get("where") else {}
            told[name] = {"prompt": entry.get("prompt") or None, "where": marked.get(name)}
    try:
        return Recipe.model_validate(asked | {"photos": told})
    except ValidationError as error:
        raise cannot_be_done(error) from error


def check_fill(asked: object, offered: Offered) -> None:
    """Raises `EditError` if a hole is to be filled by what is not offered."""
    if asked is not None and asked not in offered.fills:
        raise EditError(f"the old place can be filled by {', '.join(offered.fills)}")


def cannot_be_done(error: ValidationError) -> EditError:
    """The first mistake in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    return EditError(f"this cannot be done: {place}: {first['msg']}")


def _where(marked: Any, given: Given) -> dict[str, Any]:
    """Regions by the names of what is there."""
    found = {}
    for name, number in dict(marked or {}).items():
        region = given.region(number)
        if region is not None:
            found[str(name)] = region.model_dump(by_alias=True, exclude_none=True)
    return found
