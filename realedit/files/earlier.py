"""Pictures that an earlier run left in a folder of photos: its results, known by their sidecars or by the standard mark
of an edited picture, and what was drawn beside them, known by a mark of its own. No torch."""

from pathlib import Path

from PIL import Image

from realedit.files.access import is_file, read_file
from realedit.files.reading import READ_FORMATS
from realedit.files.sidecar import made_from_photo, sidecar_path
from realedit.files.xmp import CREATOR, DigitalSourceType

MARKS = (CREATOR, DigitalSourceType.EDITED.value.encode())


def left_by_earlier_run(path: Path) -> bool:
    """Whether a picture is a result, or was drawn beside a photo. What was drawn from words alone is neither: it is
    there to be edited."""
    if is_file(sidecar_path(path)) and made_from_photo(path):
        return True
    packet = _packet(path)
    return any(mark in packet for mark in MARKS)


def _packet(path: Path) -> bytes:
    """The XMP of a picture, of which no more is read than its header where that tells; empty if there is none."""
    if path.suffix.lower() in (".heic", ".heif"):
        try:
            return read_file(path)
        except OSError:
            return b""
    try:
        with Image.open(path, formats=READ_FORMATS) as image:
            packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    except Exception:  # a broken file, or none that has a header: it is said when it is to be edited
        return b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)
