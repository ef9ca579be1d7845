"""Results that lie there, as what made them: for commands that make them again. Heavy imports stay inside functions:
help needs this module."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inversion.errors import EditError
from realedit.commands.context import RunOptions
from realedit.settings import ModelChoice

if TYPE_CHECKING:
    from realedit.commands.edit_job import EditJob
    from realedit.files.sidecar import Sidecar


@dataclass(frozen=True)
class MadeResult:
    """A result at `path`, its `sidecar`, and the `photo` that it was made from, if it was one."""

    path: Path
    sidecar: "Sidecar"
    photo: Path | None

    @classmethod
    def read(cls, path: Path, photo: Path | None = None) -> "MadeResult":
        """Of a result or its sidecar; `photo` says where the photo lies now.

        Raises:
            EditError: there is no sidecar, or the photo is not there any more, or is another.
        """
        from realedit.files.sidecar import SIDECAR_SUFFIX, read_sidecar

        sidecar = read_sidecar(path)
        path = path.with_name(path.name.removesuffix(SIDECAR_SUFFIX))
        return cls(path, sidecar, _source(sidecar, path, photo))

    @property
    def folder(self) -> Path:
        """What the recipe's paths start from."""
        return self.path.parent / self.sidecar.folder

    def options(self, *, as_json: bool = False, quiet: bool = False) -> RunOptions:
        """The options that it was made with."""
        made, recipe = self.sidecar, self.sidecar.recipe
        return RunOptions(
            ModelChoice(made.model, made.revision, made.variant, device=made.device, dtype=made.dtype),
            prompt=made.prompt,
            method=recipe.method,
            steps=recipe.steps,
            seed=recipe.seed,
            as_json=as_json,
            quiet=quiet,
        )

    def edit_job(self) -> "EditJob | None":
        """The edits; None if it is a whole picture.

        Raises:
            EditError: the sidecar does not say of which photo.
        """
        from realedit.commands.edit_job import EditJob
        from realedit.files.reading import PhotoFile
        from realedit.files.recipe import Recipe

        if not isinstance(self.sidecar.recipe, Recipe):
            return None
        if self.photo is None:
            raise EditError(f"the sidecar of {self.path.name} names no photo; make the edit again")
        return EditJob(self.photo, PhotoFile.open(self.photo), self.sidecar.recipe, self.folder)

    def differs(self) -> str:
        """What is said where other pixels came out this time."""
        return f"the pixels differ from those of {self.path.name}: another version, model or machine made it"


def _source(sidecar: "Sidecar", result: Path, photo: Path | None) -> Path | None:
    from realedit.files.sidecar import file_hash

    if sidecar.photo is None:
        return None
    source = photo or result.parent / sidecar.photo
    if not source.is_file():
        raise EditError(f"the photo {sidecar.photo} is not there any more; say where it is with --photo")
    if file_hash(source) != sidecar.photo_hash:
        raise EditError(f"{source} is not the photo that {result.name} was made from; give that one with --photo")
    return source
