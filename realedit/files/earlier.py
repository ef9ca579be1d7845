"""Pictures that an earlier run left in a folder of photos: its results, known by their sidecars or by the standard mark
of an edited picture, and what was drawn beside them, known by a mark of its own. No torch."""

from pathlib import Path

from PIL import Image

from realedit.files.access import is_file, read_file
from realedit.files.reading import READ_FORMATS
from realedit.files.sidecar import made_from_photo, sidecar_path
from realedit.files.xmp import DigitalSourceType

CREATOR = b"realedit: drawn beside a photo"
BY_PRODUCT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="' + CREATOR + b'"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
"""The XMP of masks, contact sheets and pictures of steps, which are no photos."""
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
