"""The recipe that a row of a job list stands for, and what a row may hold as a JSON schema. All but a few columns are
those of recipes, under the same names. No torch."""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inversion.errors import EditError
from realedit.files.recipe import UNKNOWN_KEY, Recipe, Region, read_recipe, schema
from realedit.files.recipe_files import model_from, named_files, named_models, renamed, require_inside
from realedit.inpainting.filler import parse_fill

OWN = {
    "photo": "The photo: its path from the job list's folder, or a URL",
    "id": "By which the result is known; default: output",
    "output": "Path of the result below the folder of results; default: the photo's name",
    "recipe": "A recipe file, instead of the fields of one edit",
}
WHOLE = [field.alias or name for name, field in Recipe.model_fields.items() if name not in ("edits", "where", "photos")]
MARKS = [field.alias or name for name, field in Region.model_fields.items()]


class RecipeReader:
    """Recipes of rows, whose paths start from the `folder` of the job list. `default`: the recipe file of rows that say
    no edit; `outside`: whether recipe files may name what lies outside their own folders."""

    def __init__(self, folder: Path, default: Path | None = None, *, outside: bool = False) -> None:
        self.folder, self.default, self.outside = folder, default, outside
        self._read: dict[Path, dict[str, Any]] = {}

    def of(self, values: dict[str, Any]) -> Recipe:
        """The recipe of a row.

        Raises:
            EditError: the row says none, or a wrong one; the message lists everything that is wrong with it.
        """
        whole = {name: values[name] for name in WHOLE if name in values}
        marks = {name: values[name] for name in MARKS if name in values}
        edit = {name: value for name, value in values.items() if name not in (*OWN, *whole, *marks)}
        base = self._base(values, edit)
        if base is not None:
            whole.pop("prompt", None)  # it goes before the recipe's without taking its place
        else:
            base = {"edit": [edit]}
        asked = {**base, **whole}
        if marks and "object" in edit and "other" not in edit:
            asked["where"] = {str(edit["object"]): marks}
        recipe = _validated(asked, edit)
        if marks and not recipe.where:
            recipe = _marked(recipe, asked, marks)
        parse_fill(recipe.fill)
        return renamed(recipe, str, lambda name: model_from(self.folder, name)) if named_models(recipe) else recipe

    def _base(self, values: dict[str, Any], edit: dict[str, Any]) -> dict[str, Any] | None:
        """The values of the recipe file that holds for a row; None if the row says its edit itself."""
        path = self.folder / str(values["recipe"]) if "recipe" in values else None if edit else self.default
        if path is None:
            if not edit:
                raise EditError("no edit: give kind and object and what else it needs, or a recipe")
            return None
        if edit:
            raise EditError(f"{', '.join(edit)} beside a recipe; a row has either a recipe or the fields of one edit")
        if path not in self._read:
            self._read[path] = self._from_folder(path)
        return self._read[path]

    def _from_folder(self, path: Path) -> dict[str, Any]:
        """The values of a recipe file, its own files named from the job list's folder."""
        recipe, own = read_recipe(path), path.parent
        if not self.outside:
            require_inside(named_files(recipe), own, own, f"the recipe {path.name}")
        moved = renamed(
            recipe, lambda name: os.path.relpath(own / name, self.folder), lambda name: model_from(own, name)
        )
        return moved.model_dump(by_alias=True, exclude_none=True)


def _validated(values: dict[str, Any], edit: dict[str, Any]) -> Recipe:
    if edit and "kind" not in edit:
        raise EditError(f"no kind of edit, beside {', '.join(edit)}; a row says kind, object and what else it needs")
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        said = [_mistake(each) for each in error.errors() if each["type"] != "too_short"]  # the list of edits lacks it
        raise EditError("; ".join(dict.fromkeys(said))) from error


def _marked(recipe: Recipe, values: dict[str, Any], marks: dict[str, Any]) -> Recipe:
    """A recipe with the one object that its edits name marked."""
    if len(recipe.objects) != 1:
        count = len(recipe.objects)
        raise EditError(f"{', '.join(marks)} would mark one object, the edits name {count}; mark them in the recipe")
    return _validated({**values, "where": {recipe.objects[0]: marks}}, {})


def _mistake(error: Any) -> str:
    """What is wrong, at which column."""
    place = [str(part) for part in error["loc"] if not isinstance(part, int)]
    name = next((part for part in reversed(place) if part in (*WHOLE, *MARKS) or part.islower()), "")
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name}: {UNKNOWN_KEY}; the schema lists what a row may hold (realedit batch schema)"
    return f"{name}: {error['msg']}" if name and name != "edit" else str(error["msg"])


def row_schema() -> dict[str, Any]:
    """The JSON schema of a row of a job list."""
    recipe = deepcopy(schema())
    definitions: dict[str, Any] = recipe["$defs"]
    edits = recipe["properties"]["edit"]["items"]["oneOf"]
    for each in edits:
        edit = definitions[each["$ref"].rpartition("/")[2]]
        del edit["additionalProperties"]
        edit["required"] = ["kind", *edit["required"]]
    region = definitions["Where"]["properties"]
    own = {name: {"type": "string", "description": said} for name, said in OWN.items() if name != "recipe"}
    file = {"required": ["recipe"], "properties": {"recipe": {"type": "string", "description": OWN["recipe"]}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Job",
        "type": "object",
        "required": ["photo"],
        "properties": {**own, **{name: recipe["properties"][name] for name in WHOLE}, **region},
        "oneOf": [file, *edits],
        "unevaluatedProperties": False,
        "$defs": definitions,
    }
