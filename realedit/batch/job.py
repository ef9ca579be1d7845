"""One result that is asked for. No torch."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from realedit.batch.storage import is_url
from realedit.files.access import native, read_file


@dataclass(frozen=True, slots=True)
class Job:
    """A photo, what is to be done with it, and where the result goes.

    `photo` and the `files` that the `recipe` (JSON) names are paths from the job list's folder, or URLs; `output` is
    the path of the result below the folder of results. `prompt` is what the photo shows, where that was said outside
    the recipe, and `prompt_source` by what; `line` is where the job stands in its list.
    """

    id: str
    photo: str
    output: str
    recipe: str
    files: tuple[str, ...]
    prompt: str | None
    prompt_source: str
    line: int

    def recipe_hash(self, options: str) -> str:
        """Of all that decides about the result beside the files that are read; `options` are those of the run."""
        return _digest((self.recipe, self.prompt or "", self.output, options))

    def inputs(self, folder: Path) -> tuple[Path, ...]:
        """Every file on this machine that decides about the result: the photo, the caption beside it, and what the
        recipe names."""
        own = [folder / name for name in (self.photo, *self.files) if not is_url(name)]
        captions = [path.with_suffix(".txt") for path in own if path.name]
        return (*own, *captions)


def stamp(paths: Iterable[Path]) -> str:
    """Sizes and times of files, by which most changes are seen without reading them."""
    found = []
    for path in paths:
        try:
            stat = Path(native(path)).stat()
            found.append(f"{stat.st_size}:{stat.st_mtime_ns}")
        except OSError:
            found.append("none")
    return _digest(found)[:16]


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of files; those that are not there count as empty."""
    found = []
    for path in paths:
        try:
            found.append(hashlib.sha256(read_file(path)).hexdigest())
        except OSError:
            found.append("none")
    return _digest(found)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
