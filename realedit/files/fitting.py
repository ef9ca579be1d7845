"""What of a photo's metadata a format can hold, and what becomes of the rest: written another way, or left out and
said."""

from collections.abc import Iterable
from dataclasses import replace

from realedit.files import exif, iptc, xmp
from realedit.files.metadata import Metadata, shortened
from realedit.files.png import Text
from realedit.files.tiff_tags import decoded

JPEG_SEGMENT = 65_533  # bytes of a block
JPEG_XMP = 65_000  # bytes, with its name, and leaving room for the mark
JPEG_IPTC = JPEG_SEGMENT - 30  # bytes, without Photoshop's names
MOST_MOVED = 20_000  # characters of all texts that are written another way
WITH_XMP = {"JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"}
WITH_IPTC, WITH_COMMENTS, WITH_TEXTS = {"JPEG", "TIFF"}, {"JPEG"}, {"PNG"}
GENERATION_KEYWORDS = {
    *("parameters", "prompt", "workflow", "Dream", "sd-metadata", "invokeai_metadata", "invokeai_graph"),
    *("generation_data", "fooocus_scheme", "extraMetadata", "postprocessing"),
}
"""PNG texts in which programs say how they drew a picture."""


def fitted(said: Metadata, kind: str) -> tuple[Metadata, list[str]]:
    """Metadata as a format holds them, and notes on what it cannot hold."""
    if kind not in WITH_XMP:
        return Metadata(), [f"{kind} holds no metadata"] if said != Metadata() else []
    notes: list[str] = []
    moved: list[tuple[str, str]] = []
    if kind not in WITH_TEXTS:
        moved += [(t.keyword, t.text) for t in said.texts]
    if kind not in WITH_IPTC and said.iptc:
        moved += iptc.texts(said.iptc)
        notes.append(f"{kind} holds no IPTC block; its texts are written as XMP")
    comments = [decoded(c).rstrip("\0") for c in said.comments if kind not in WITH_COMMENTS]
    if kind in WITH_TEXTS:
        said = replace(said, texts=said.texts + tuple(Text.of("Comment", c) for c in comments))
    else:
        moved += [("Comment", c) for c in comments]
    texts, lost = _as_properties(moved)
    if lost:
        notes.append(f"{kind} has no place for these texts, which are left out: {shortened(lost)}")
    drawn = [t.keyword for t in said.texts if kind in WITH_TEXTS and t.keyword in GENERATION_KEYWORDS]
    if drawn:
        notes.append(f"kept, though it says how the picture before the edit was drawn: {shortened(drawn)}")
    said = replace(
        said,
        xmp=xmp.with_texts(said.xmp, texts) if texts else said.xmp,
        iptc=said.iptc if kind in WITH_IPTC else b"",
        texts=said.texts if kind in WITH_TEXTS else (),
        comments=said.comments if kind in WITH_COMMENTS else (),
    )
    return _in_segments(said, notes) if kind == "JPEG" else (said, notes)


def _as_properties(texts: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], list[str]]:
    """Texts by the names of their XMP properties, and the names of those for which there is none or no room."""
    found: dict[str, list[str]] = {}
    lost, room = set[str](), MOST_MOVED
    for keyword, text in texts:
        if keyword not in xmp.PROPERTIES or len(text) > room:
            lost.add(keyword)
        elif text.strip():
            room -= len(text)
            found.setdefault(keyword, []).append(text)
    return found, sorted(lost)


def _in_segments(said: Metadata, notes: list[str]) -> tuple[Metadata, list[str]]:
    """No block of a JPEG may be longer than its segment."""
    camera = said.exif
    if len(camera) > JPEG_SEGMENT:
        camera = exif.without_maker_note(camera)
        notes.append("the camera data are too long for JPEG; the maker's note is left out")
    if len(camera) > JPEG_SEGMENT:
        camera = b""
        notes[-1] = "the camera data are too long for JPEG and are left out"
    fits = {
        "XMP": len(said.xmp) <= JPEG_XMP,
        "IPTC block": len(said.iptc) <= JPEG_IPTC,
        "comment": all(len(c) <= JPEG_SEGMENT for c in said.comments),
    }
    notes += [f"the {name} is too long for JPEG and is left out" for name, fit in fits.items() if not fit]
    return (
        replace(
            said,
            exif=camera,
            xmp=said.xmp if fits["XMP"] else b"",
            iptc=said.iptc if fits["IPTC block"] else b"",
            comments=tuple(c for c in said.comments if len(c) <= JPEG_SEGMENT),
        ),
        notes,
    )
