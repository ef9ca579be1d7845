"""The chunks of a PNG file (PNG, third edition), which hold what is said beside the pixels."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from realedit.files.tiff_tags import decoded

SIGNATURE = b"\x89PNG\r\n\x1a\n"
AFTER_HEADER = 33  # bytes: where the chunks that say more begin
MOST_TEXT, MOST_TEXTS = 1_000_000, 1000  # bytes of all texts together, and their number; more are not read
LONGEST_KEYWORD = 79  # bytes
RAW_PROFILE = "Raw profile type "  # how ImageMagick names blocks that are no texts
XMP_KEYWORD = "XML:com.adobe.xmp"

Chunk = tuple[bytes, bytes]  # the four letters of its kind, and its body


@dataclass(frozen=True)
class Text:
    """A text with its keyword; `chunk` is as it lay in the file."""

    keyword: str
    text: str
    chunk: Chunk

    @classmethod
    def of(cls, keyword: str, text: str) -> "Text":
        return cls(keyword, text, (b"iTXt", keyword.encode("latin-1") + b"\0" * 5 + text.encode()))


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks of a file, until it ends or breaks; those of its pixels without their bodies."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            return
        yield kind, b"" if kind in (b"IDAT", b"fdAT") else data[at + 8 : at + 8 + size]
        at += 12 + size


def with_chunks(data: bytes, more: Iterable[Chunk]) -> bytes:
    """A file with more chunks before its pixels."""
    return data[:AFTER_HEADER] + b"".join(_chunk(*each) for each in more) + data[AFTER_HEADER:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def profile_chunk(profile: bytes) -> Chunk:
    return b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)


def resolution_chunk(dpi: tuple[float, float]) -> Chunk:
    return b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in dpi), 1)


def texts(data: bytes) -> tuple[list[Text], list[str]]:
    """The texts of a file, and the keywords of those that are too large or broken. Blocks that are no texts (XMP, and
    what ImageMagick writes as texts) are among the first."""
    found: list[Text] = []
    lost: list[str] = []
    room = MOST_TEXT
    for kind, body in chunks(data):
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        keyword, _, rest = body.partition(b"\0")
        text = _text(kind, rest, room) if len(body) <= room and len(found) < MOST_TEXTS else None
        name = keyword[:LONGEST_KEYWORD].decode("latin-1")
        if text is None or not 1 <= len(keyword) <= LONGEST_KEYWORD or not name.isprintable():
            lost.append(name)
            continue
        room -= max(len(text), len(body))
        found.append(Text(name, decoded(text), (kind, body)))
    return found, lost


def _text(kind: bytes, rest: bytes, most: int) -> bytes | None:
    """The bytes of a text behind its keyword; None: broken, or more than `most`."""
    packed = kind == b"zTXt"
    if packed:
        method, rest = rest[:1], rest[1:]
    elif kind == b"iTXt":
        packed, method = rest[:1] == b"\1", rest[1:2]
        parts = rest[2:].split(b"\0", 2)
        if len(parts) < 3:
            return None
        rest = parts[2]
    if not packed:
        return rest
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(rest, most) if method == b"\0" else b""
    except zlib.error:
        return None
    return text if inflate.eof else None


def raw_profile(text: str) -> bytes:
    """The bytes of a block that ImageMagick wrote as a text: its name, its length, and the block in hexadecimal.

    Raises:
        ValueError: it is none.
    """
    return bytes.fromhex("".join(text.split("\n")[3:]))
