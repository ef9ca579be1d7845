"""The command that makes the edits of a recipe again, as it is typed in a shell. No torch."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from realedit.files.recipe import Recipe, Region, SourcePhotoEntry
from realedit.jobs.model_run import ModelRun
from realedit.settings import DEFAULTS

COMMANDS = {"insert": "compose"}  # where the command has another name than the kind
OPTIONS = ("to", "by", "scale", "as", "from")  # of an edit's fields, those that are options
SCENE = {"fill": "auto", "behind": None, "shadow": "auto", "feather": DEFAULTS.feather}
OF_RUN = {"prompt": None, "method": DEFAULTS.method, "steps": DEFAULTS.steps, "seed": DEFAULTS.seed}
OF_RESULT = {"pitch": None, "mode": "auto"}


def is_one_command(recipe: Recipe) -> bool:
    """Whether a command says all of a recipe, without a file that lists its edits."""
    if len(recipe.edits) > 1:
        return False
    kind, marked = recipe.edits[0].kind, bool(recipe.where)
    return not (kind == "swap" and marked) and set(recipe.photos) <= set(recipe.other_photos)


def command_line(run: ModelRun, recipe: Recipe, photo: str, recipe_file: str, *, keep_going: bool = False) -> str:
    """The line that makes a recipe's edits of the file `photo`; `recipe_file` is what it lies in, should it not fit in
    a line. `keep_going`: also what is judged to have failed."""
    words = _one_command(recipe, photo) if is_one_command(recipe) else ["edit", photo, "--recipe", recipe_file]
    words += [word for field in fields(run.which) for word in _changed(run.which, field.name, field.default)]
    return shlex.join(["realedit", *words, *(["--keep-going"] if keep_going else [])])


def _one_command(recipe: Recipe, photo: str) -> list[str]:
    (edit,) = recipe.model_dump(by_alias=True, exclude_none=True)["edit"]
    kind, source = edit["kind"], edit.get("from", "")
    words = [COMMANDS.get(kind, kind), photo, *(edit[name] for name in ("object", "other") if name in edit)]
    if kind == "resize":
        words += ["--scale", _typed(edit["scale"])]
    else:
        words += _options((name, edit[name]) for name in OPTIONS if name in edit and edit[name] != 1.0)
    words += _options([("from-object", edit.get("from_object"))])
    words += _other(recipe.photos.get(source, SourcePhotoEntry()))
    for region in recipe.where.values():
        words += _marks(region, "")
    for defaults in (SCENE, OF_RESULT, OF_RUN):
        words += [word for name, default in defaults.items() for word in _changed(recipe, name, default)]
    return words


def _other(told: SourcePhotoEntry) -> list[str]:
    """What is said of the photo that something is taken from."""
    return [*_options([("from-prompt", told.prompt)]), *(_marks(told.where, "from-") if told.where else [])]


def _marks(region: Region, prefix: str) -> list[str]:
    named = [("mask", region.mask), ("box", region.box), *(("point", point) for point in region.points)]
    named += [*(("not", point) for point in region.excluded), ("around", region.around)]
    return _options((prefix + name, value) for name, value in [*named, ("segmenter", region.segmenter)])


def _changed(values: Any, name: str, default: object) -> list[str]:
    """The option of a value that is not what it is where nothing is said."""
    value = getattr(values, name)
    return [] if value == default else [f"--{name}"] if value is True else _options([(name, value)])


def _options(named: Iterable[tuple[str, Any]]) -> list[str]:
    return [word for name, value in named if value is not None for word in _option(name, value)]


def _option(name: str, value: Any) -> Iterator[str]:
    yield f"--{name}"
    yield ",".join(_typed(part) for part in value) if isinstance(value, tuple | list) else _typed(value)


def _typed(value: Any) -> str:
    """A number as short as it is read back the same."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
