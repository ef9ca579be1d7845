"""Results that lie there, as what made them: for commands that make them again. Heavy imports stay inside functions:
help needs this module."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import EditError
from realedit.commands.context import RunOptions
from realedit.commands.options import Command, as_one
from realedit.commands.parameter_types import FILE
from realedit.files.access import is_file, shown_name
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from realedit.files.recipe import Recipe
    from realedit.files.sidecar import Sidecar
    from realedit.generations import Generation
    from realedit.jobs.edit_job import EditJob

LOCAL = ("./", "../")  # how the name of a model starts that lies on this machine, seen from the sidecar
ALLOW_OUTSIDE = click.option(
    "--allow-outside", is_flag=True, help="Read files that the recipe or sidecar names outside its own folder."
)


@dataclass(frozen=True)
class WhereFound:
    """What is to be read to make a result again: where its `photo` and its `model` are now, if not where the sidecar
    says; whether what it names may lie outside its folder; and whether models may be fetched."""

    photo: Path | None = None
    model: str | None = None
    allow_outside: bool = False
    offline: bool = False


def again_options(command: Command) -> Command:
    """Options of every command that makes a result again, handed on as one `WhereFound`."""
    options = (
        click.option("--photo", type=FILE, help="The photo, if it lies elsewhere now."),
        click.option("--model", help="The model, if it lies elsewhere now."),
        ALLOW_OUTSIDE,
        click.option("--offline", is_flag=True, help="Fetch nothing."),
    )
    return as_one("found", WhereFound, command, options)


@dataclass(frozen=True)
class MadeResult:
    """A result at `path`, its `sidecar`, the `recipe` there with models named from here, and the photo that it was made
    from, if it was one."""

    path: Path
    sidecar: "Sidecar"
    recipe: "Recipe | Generation"
    photo: Path | None
    found: WhereFound

    @classmethod
    def read(cls, path: Path, found: WhereFound = WhereFound()) -> "MadeResult":
        """Of a result or its sidecar.

        Raises:
            EditError: there is no sidecar, the photo is not there any more, or is another, or a file lies outside the
                sidecar's folder and that is not allowed.
        """
        from realedit.files.recipe_files import model_from, named_files, renamed, require_inside
        from realedit.files.sidecar import SIDECAR_SUFFIX, read_sidecar

        sidecar = read_sidecar(path)
        path = path.with_name(path.name.removesuffix(SIDECAR_SUFFIX))
        if not found.allow_outside:
            require_inside(named_files(sidecar.recipe), path.parent / sidecar.folder, path.parent, "the sidecar")
        recipe = renamed(sidecar.recipe, lambda name: name, lambda name: model_from(path.parent, name))
        return cls(path, sidecar, recipe, _source(sidecar, path, found), found)

    @property
    def folder(self) -> Path:
        """What the recipe's paths start from."""
        return self.path.parent / self.sidecar.folder

    @property
    def files(self) -> tuple[Path, ...]:
        """The result and its sidecar, which nothing may replace that is made from them."""
        from realedit.files.sidecar import sidecar_path

        return self.path, sidecar_path(self.path)

    @property
    def model(self) -> str:
        """The name of the model, or its path from here."""
        said = self.sidecar.model
        if self.found.model is not None:
            return self.found.model
        return os.path.normpath(self.path.parent / said) if said.startswith(LOCAL) else said

    def announce(self, shared: RunOptions) -> None:
        """Say which models are loaded because the sidecar asks for them; the bundled one goes without saying."""
        from realedit.files.recipe_files import named_models

        asked = {} if self.found.model or self.model == ModelChoice().model else {self.model: "model"}
        shared.announce(asked | named_models(self.recipe), "the sidecar")

    def options(self, *, as_json: bool = False, quiet: bool = False) -> RunOptions:
        """The options that it was made with."""
        from realedit.files.captions import FROM_SIDECAR

        made, recipe = self.sidecar, self.recipe
        offline = self.found.offline
        return RunOptions(
            ModelChoice(self.model, made.revision, made.variant, offline, device=made.device, dtype=made.dtype),
            prompt=made.prompt,
            method=recipe.method,
            steps=recipe.steps,
            seed=recipe.seed,
            as_json=as_json,
            quiet=quiet,
            said_in=made.prompt_source or FROM_SIDECAR,
        )

    def edit_job(self) -> "EditJob | None":
        """The edits; None if it is a whole picture.

        Raises:
            EditError: the sidecar does not say of which photo.
        """
        from realedit.files.reading import PhotoFile
        from realedit.files.recipe import Recipe
        from realedit.jobs.edit_job import EditJob

        if not isinstance(self.recipe, Recipe):
            return None
        if self.photo is None:
            raise EditError(f"the sidecar of {self.path.name} names no photo; make the edit again")
        return EditJob(self.photo, PhotoFile.open(self.photo), self.recipe, self.folder, self.files)

    def differs(self) -> str:
        """What is said where other pixels came out this time."""
        return f"the pixels differ from those of {self.path.name}: another version, model or machine made it"


def _source(sidecar: "Sidecar", result: Path, found: WhereFound) -> Path | None:
    from realedit.files.recipe_files import lies_inside
    from realedit.files.sidecar import file_hash

    if sidecar.photo is None:
        return None
    source = found.photo or result.parent / sidecar.photo
    if found.photo is None and not found.allow_outside and not lies_inside(source, result.parent):
        raise EditError(
            f"the sidecar names the photo {shown_name(sidecar.photo)}, which lies outside its folder; say where it is "
            "with --photo, or give --allow-outside if you trust the sidecar"
        )
    if not is_file(source):
        raise EditError(f"the photo {shown_name(sidecar.photo)} is not there any more; say where it is with --photo")
    try:
        same = file_hash(source) == sidecar.photo_hash
    except OSError as error:
        raise EditError(f"{shown_name(source)} cannot be read: {error.strerror}") from error
    if not same:
        raise EditError(f"{source} is not the photo that {result.name} was made from; give that one with --photo")
    return source
