"""The command that makes the edits of a recipe again, as it is typed in a shell. No torch."""

import shlex
from dataclasses import fields

from realedit.files.recipe import Recipe, SourcePhotoEntry
from realedit.jobs.model_run import ModelRun
from realedit.jobs.option_words import changed, marks, options, typed
from realedit.settings import DEFAULTS, ENERGIES, ModelChoice

COMMANDS = {"insert": "compose"}  # where the command has another name than the kind
OPTIONS = ("to", "by", "scale", "as", "from")  # of an edit's fields, those that are options
SCENE = {"fill": "auto", "behind": None, "shadow": "auto", "feather": DEFAULTS.feather}
OF_RUN = {"prompt": None, "method": DEFAULTS.method, "steps": DEFAULTS.steps, "seed": DEFAULTS.seed}
OF_RESULT = {"pitch": None, "mode": "auto", "energies": ENERGIES[0]}


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
    return shlex.join(["realedit", *words, *model_words(run.which), *(["--keep-going"] if keep_going else [])])


def model_words(which: ModelChoice) -> list[str]:
    """The options that say which model is used."""
    return changed(which, {field.name: field.default for field in fields(which)})


def _one_command(recipe: Recipe, photo: str) -> list[str]:
    (edit,) = recipe.model_dump(by_alias=True, exclude_none=True)["edit"]
    kind, source = edit["kind"], edit.get("from", "")
    words = [COMMANDS.get(kind, kind), photo, *(edit[name] for name in ("object", "other") if name in edit)]
    if kind == "resize":
        words += ["--scale", typed(edit["scale"])]
    else:
        words += options((name, edit[name]) for name in OPTIONS if name in edit and edit[name] != 1.0)
    words += options([("from-object", edit.get("from_object"))])
    words += _other(recipe.photos.get(source, SourcePhotoEntry()))
    for region in recipe.where.values():
        words += marks(region)
    for defaults in (SCENE, OF_RESULT, OF_RUN):
        words += changed(recipe, defaults)
    return words


def _other(told: SourcePhotoEntry) -> list[str]:
    """What is said of the photo that something is taken from."""
    return [*options([("from-prompt", told.prompt)]), *(marks(told.where, "from-") if told.where else [])]
