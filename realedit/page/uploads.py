"""What comes from the page: bounded before it is kept, and named without a path."""

import json
import unicodedata
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request

from inversion.errors import EditError, PhotoError

LARGEST_UPLOAD = 2**28  # bytes of a photo's file
LARGEST_DRAWING = 2**24  # bytes of a picture of brush strokes
LARGEST_TEXT = 2**18  # bytes of JSON
LONGEST_FILE_NAME = 80  # characters


async def body_of(request: Request, most: int) -> bytes:
    """The bytes that a request brings.

    Raises:
        PhotoError: there are more than `most`; the rest is not read.
    """
    told = request.headers.get("content-length", "0")
    found = bytearray()
    if told.isdigit() and int(told) <= most:
        async for part in request.stream():
            found += part
            if len(found) > most:
                break
        else:
            return bytes(found)
    raise PhotoError(f"this is larger than the {most / 2**20:g} MiB that the page takes")


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings.

    Raises:
        EditError: it is none.
        PhotoError: it is too large.
    """
    try:
        values = json.loads(await body_of(request, LARGEST_TEXT))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise EditError("the page sent no JSON object; load it again")
    return values


def safe_name(name: str) -> str:
    """The name of a file without folders, control characters and leading dots, which any system takes."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(
        c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*'
    )
    path = PurePosixPath(kept.strip().lstrip(".-") or "photo")
    suffix = path.suffix[:8]
    return path.name.removesuffix(path.suffix)[: LONGEST_FILE_NAME - len(suffix)] + suffix
