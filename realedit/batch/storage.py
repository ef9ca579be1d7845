"""Files on shared storage, by fsspec's URLs (s3://bucket/photo.jpg): fetched to where programs can read them, and sent
back. fsspec is imported where a URL is met."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from inversion.errors import OutputError, PhotoError, first_line

URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_url(name: str) -> bool:
    return URL.match(name) is not None


def joined(folder: str, name: str) -> str:
    """The URL of a file below that of a folder."""
    return f"{folder.rstrip('/')}/{name}"


class Mirror:
    """A folder in which files of shared storage lie as they lie there, so that ways between them are the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, url: str) -> Path:
        """Where the file of a URL lies, or will lie, in the mirror; its folder is made."""
        protocol, _, rest = url.partition("://")
        parts = [part for part in rest.split("/") if part not in ("", ".", "..")]
        path = self.folder.joinpath(protocol, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def fetch(self, url: str) -> Path:
        """Copy a file here, once.

        Raises:
            PhotoError: it cannot be had.
        """
        path = self.path(url)
        if not path.exists():
            try:
                _files(url).get_file(url, str(path))
            except Exception as error:  # each storage has its own
                path.unlink(missing_ok=True)
                raise PhotoError(f"{url} cannot be fetched: {first_line(error)}") from error
        return path

    def send(self, url: str) -> None:
        """Copy the mirror's file of a URL there.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            files = _files(url)
            files.makedirs(url.rpartition("/")[0], exist_ok=True)
            files.put_file(str(self.path(url)), url)
        except Exception as error:
            raise OutputError(f"cannot write {url}: {first_line(error)}") from error


@contextmanager
def mirror() -> Iterator[Mirror]:
    """A mirror for as long as one job lasts."""
    with TemporaryDirectory(prefix="realedit-batch-") as folder:
        yield Mirror(Path(folder))


def _files(url: str):  # type: ignore[no-untyped-def]  # a class of fsspec, which need not be installed
    try:
        import fsspec
    except ImportError as error:
        raise OutputError(f'{url} needs fsspec: pip install "realedit[ray]"') from error
    return fsspec.filesystem(url.partition("://")[0])
