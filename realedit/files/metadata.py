"""What a photo's file says beside its pixels: read from it, and without what an edit makes untrue.

Kept are texts and numbers that are still true. Left out, and named, is what shows or describes the picture before the
edit: thumbnails, layers, companions that lie behind it, checksums, its history.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from realedit.files import exif, iptc, xmp
from realedit.files.png import RAW_PROFILE, XMP_KEYWORD, Text, raw_profile, texts
from realedit.files.tiff_tags import Tag
from realedit.files.xmp_rules import BEHIND, tells_place

XMP_TAG, PHOTOSHOP_TAG, IPTC_TAG = 700, 34377, 33723  # of a TIFF
VIDEO = re.compile(rb"\0\0\0.ftyp", re.DOTALL)  # how an MP4 begins
MOST_COMMENTS = 1_000_000  # bytes of a file's comments together; of more, none is kept
MOST_NAMED = 12  # of the things left out that a note names
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/"
RAW_BLOCKS = {"exif", "app1", "xmp", "iptc", "8bim", "icc", "icm"}  # that are read or stand in a chunk of their own
DESCRIPTION_KEYWORD = "Description"


@dataclass(frozen=True)
class Metadata:
    """Camera data (`exif`, with its name), an `xmp` packet, the press's `iptc` datasets, the `texts` of a PNG, and the
    `comments` of a JPEG, each as bytes of the file."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    texts: tuple[Text, ...] = ()
    comments: tuple[bytes, ...] = ()

    def without_place(self) -> "Metadata":
        """Without what tells where the photo was taken, be it coordinates or names. Captions stay."""
        return replace(
            self,
            exif=exif.without_place(self.exif),
            xmp=xmp.without_place(self.xmp),
            iptc=iptc.without_place(self.iptc),
            texts=tuple(t for t in self.texts if not tells_place("{}" + t.keyword.rpartition(":")[2])),
        )

    @property
    def description(self) -> str | None:
        """The caption, of a PNG's texts or the camera data."""
        found = [t.text.strip() for t in self.texts if t.keyword == DESCRIPTION_KEYWORD]
        return next(filter(None, found), None) or exif.description(self.exif)


def read(image: Image.Image, data: bytes, size: tuple[int, int]) -> tuple[Metadata, list[str]]:
    """The metadata of an opened picture, whose file is `data` and whose upright size is `size`, and notes on what was
    left out of them."""
    gone: list[str] = []

    def without(kept: Callable[[bytes], tuple[bytes, list[str]]], block: bytes) -> bytes:
        left, names = kept(block)
        gone.extend(names)
        return left

    found = _as_stored(image, data)
    too_long = sum(map(len, found.comments)) > MOST_COMMENTS
    said = Metadata(
        exif=without(partial(exif.kept, size=size), data if image.format == "TIFF" else found.exif),
        xmp=without(xmp.kept, found.xmp),
        iptc=without(iptc.kept, found.iptc),
        texts=found.texts,
        comments=() if too_long else found.comments,
    )
    gone += ["comments that are too long"] * too_long + _companions(image, data) + _lost_texts(image, data)
    return said, [f"left out, as it shows the old picture or cannot be kept: {shortened(gone)}"] if gone else []


def shortened(names: Iterable[str]) -> str:
    """A list for a note, each name once and not too many of them."""
    once = list(dict.fromkeys(names))
    more = [f"and {len(once) - MOST_NAMED} more"] * (len(once) > MOST_NAMED)
    return "; ".join(once[:MOST_NAMED] + more)


def description(image: Image.Image, data: bytes) -> str | None:
    """The caption that a file carries."""
    found = _as_stored(image, data)
    block = data if image.format == "TIFF" else found.exif
    return replace(found, exif=block).description


def _as_stored(image: Image.Image, data: bytes) -> Metadata:
    """The blocks of a file as they lie in it; those of a TIFF's camera data are the file itself."""
    if image.format == "TIFF":
        blocks = {n: t.data for n, t in exif.tags_of(data).tags.items() if isinstance(t, Tag)}
        press = blocks.get(IPTC_TAG) or iptc.of_resources(blocks.get(PHOTOSHOP_TAG, b""))
        return Metadata(xmp=blocks.get(XMP_TAG, b""), iptc=press)
    if image.format == "PNG":
        return _of_png(image, data)
    info, comments = image.info, [body for kind, body in getattr(image, "applist", ()) if kind == "COM"]
    return Metadata(
        exif=info.get("exif") or b"",
        xmp=_bytes(info.get("xmp")),
        iptc=info.get("photoshop", {}).get(iptc.RESOURCE, b""),
        comments=tuple(comments or filter(None, [_bytes(info.get("comment"))])),
    )


def _of_png(image: Image.Image, data: bytes) -> Metadata:
    """ImageMagick writes blocks as texts; they count where there is no chunk for them."""
    found = texts(data)[0]
    blocks = [t for t in found if t.keyword.startswith(RAW_PROFILE)]
    raw = {t.keyword.removeprefix(RAW_PROFILE).lower(): _raw(t.text) for t in blocks}
    press = raw.get("iptc") or raw.get("8bim") or b""
    camera = raw.get("exif") or raw.get("app1") or b""
    packets = [t.text.encode() for t in found if t.keyword == XMP_KEYWORD]
    own = [t for t in found if not t.keyword.startswith((RAW_PROFILE, XMP_KEYWORD))]
    return Metadata(
        exif=image.info.get("exif") or camera,
        xmp=packets[0] if packets else raw.get("xmp", b""),
        iptc=iptc.of_resources(press) if press.startswith(b"8BIM") else press,
        texts=tuple(own),
    )


def _lost_texts(image: Image.Image, data: bytes) -> list[str]:
    if image.format != "PNG":
        return []
    found, lost = texts(data)
    raw = [t.keyword for t in found if t.keyword.startswith(RAW_PROFILE)]
    unknown = [f"the block {k!r}" for k in raw if k.removeprefix(RAW_PROFILE).lower() not in RAW_BLOCKS]
    return unknown + [f"the text {k!r}, broken or too large" for k in lost]


def _raw(text: str) -> bytes:
    try:
        return raw_profile(text)
    except ValueError:
        return b""


def _companions(image: Image.Image, data: bytes) -> list[str]:
    """What lies beside the picture in its file."""
    info, found = image.info, []
    if any(code != iptc.RESOURCE for code in info.get("photoshop", {})):
        found.append("Photoshop's blocks")
    if any(body.startswith(EXTENDED_XMP) for _, body in getattr(image, "applist", ())):
        found.append(BEHIND)
    if image.format in ("JPEG", "MPO") and VIDEO.search(data):
        found.append(BEHIND)
    if info.get("thumbnails"):
        found.append("a thumbnail")
    if info.get("depth_images") or info.get("aux"):
        found.append("depth, gain maps or other pictures beside it")
    return found


def _bytes(value: "bytes | str | None") -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value or b"")
