"""Text files with a sentence a line. No torch."""

from pathlib import Path

from inversion.errors import EditError
from realedit.files.access import LARGEST_TEXT_FILE, decoded, read_file, shown_name


def read_sentences(path: Path) -> list[str]:
    """The lines of a file that say anything.

    Raises:
        EditError: it cannot be read, or there are none.
    """
    try:
        lines = decoded(read_file(path, LARGEST_TEXT_FILE)).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise EditError(f"the sentences {shown_name(path)} cannot be read: {why}") from error
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise EditError(f"{shown_name(path)} has no sentences; write one a line")
    return found
