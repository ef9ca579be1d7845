"""The tags of TIFF and EXIF as they lie in a file: each value keeps its type and its bytes.

Both are one format (TIFF 6.0, section 2; Exif 3.0, section 4.6): directories of tags, of which some are directories
themselves. Pillow's reader takes values apart and its writer puts them together again, which costs texts that are not
ASCII, and tags of types that it does not know.
"""

import struct
from dataclasses import dataclass

EXIF_PART, PLACE_PART, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
PARTS = {EXIF_PART: (INTEROPERABILITY,), PLACE_PART: (), INTEROPERABILITY: ()}
"""The tags that are directories, and which of them lie inside each."""
MAKER_NOTE = 0x927C
ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
"""Bytes of one value of each type; 129 is text in UTF-8."""
PACKED = {SHORT: "H", LONG: "I", RATIONAL: "II"}
MOST_TAGS = 1000  # of one directory; more are not read
MOST_BYTES = 4_000_000  # of all values together; what goes beyond is not read
NEAR = 65_536  # bytes: a maker's note nearer than that to the beginning keeps its place


@dataclass(frozen=True)
class Tag:
    """A value: the number of its type, its bytes in the block's order, and where they lay (0: in the directory)."""

    kind: int
    data: bytes
    place: int = 0


Directory = dict[int, "Tag | Directory"]


@dataclass(frozen=True)
class TagBlock:
    """A directory of tags and what lies below it; `order` is that of bytes, "<" or ">". `left_out` are tags whose
    values are beyond the file or beyond what is read; `followed` says that another directory, such as that of a
    thumbnail, comes behind."""

    order: str
    tags: Directory
    left_out: tuple[int, ...] = ()
    followed: bool = False

    @classmethod
    def read(cls, data: bytes) -> "TagBlock":
        """The first directory of a TIFF file, or of an EXIF block without its name.

        Raises:
            ValueError: this is none.
        """
        return _Reader(data).block()

    def packed(self, kind: int, *values: int) -> Tag:
        """A tag of numbers; a RATIONAL has two for each."""
        return Tag(kind, struct.pack(f"{self.order}{len(values)}{PACKED[kind][0]}", *values))

    def number(self, tag: int, part: int | None = None) -> int | None:
        """A whole number in the first directory or in one of its parts."""
        inside = self.tags if part is None else self.tags.get(part)
        value = inside.get(tag) if isinstance(inside, dict) else None
        if not isinstance(value, Tag) or value.kind not in (SHORT, LONG) or len(value.data) != WIDTHS[value.kind]:
            return None
        return int(struct.unpack(self.order + PACKED[value.kind], value.data)[0])

    def text(self, tag: int) -> str | None:
        """A text in the first directory, in UTF-8 or, as older files have them, in Latin-1."""
        value = self.tags.get(tag)
        return decoded(value.data.split(b"\0")[0]) if isinstance(value, Tag) and value.kind in (ASCII, 129) else None

    def written(self) -> bytes:
        """The block again, without what lay between and behind its values. Its maker's note lies where it lay, since
        it may count from the beginning of the block."""
        return _Writer(self).written()


def decoded(text: bytes) -> str:
    """A text of unknown coding: UTF-8 if it can be, else Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


class _Reader:
    """Reads every directory once, and no more bytes than are there and are wanted."""

    def __init__(self, data: bytes) -> None:
        self.data, self.order = data, {b"II": "<", b"MM": ">"}.get(data[:2], "")
        version = self.unpacked("H", 2) if self.order else 0
        if version not in (42, 43):
            raise ValueError("this is no TIFF or EXIF")
        self.big = version == 43  # BigTIFF: counts and positions of 8 bytes
        self.read, self.seen, self.left_out = 0, set[int](), list[int]()

    def unpacked(self, form: str, at: int) -> int:
        try:
            return int(struct.unpack_from(self.order + form, self.data, at)[0])
        except (struct.error, OverflowError):
            raise ValueError("the tags end early") from None

    def block(self) -> TagBlock:
        at = self.unpacked("Q", 8) if self.big else self.unpacked("I", 4)
        tags = self.directory(at, tuple(PARTS))
        end = at + (8 + 20 * self.unpacked("Q", at) if self.big else 2 + 12 * self.unpacked("H", at))
        return TagBlock(self.order, tags, tuple(self.left_out), any(self.data[end : end + (8 if self.big else 4)]))

    def directory(self, at: int, parts: tuple[int, ...]) -> Directory:
        if at in self.seen:
            raise ValueError("the tags go round in circles")
        self.seen.add(at)
        head, row = (8, 20) if self.big else (2, 12)
        count = min(self.unpacked("Q" if self.big else "H", at), MOST_TAGS)
        found: Directory = {}
        for index in range(count):
            place = at + head + index * row
            if place + row > len(self.data):
                break
            number = self.unpacked("H", place)
            try:
                value = self.value(place)
                found[number] = self.part(number, value) if number in parts else value
            except ValueError:
                self.left_out.append(number)
        return found

    def part(self, number: int, value: Tag) -> Directory:
        at = int.from_bytes(value.data, "little" if self.order == "<" else "big")
        return self.directory(at, PARTS[number])

    def value(self, row: int) -> Tag:
        kind, count = self.unpacked("H", row + 2), self.unpacked("Q" if self.big else "I", row + 4)
        inline, place = (8, row + 12) if self.big else (4, row + 8)
        wide = {16: 8, 17: 8, 18: 8} if self.big else {}  # which plain TIFF does not have
        size = {**WIDTHS, **wide}.get(kind, 0) * count
        position = 0
        if size > inline:
            place = position = self.unpacked("Q" if self.big else "I", place)
        if not size or place + size > len(self.data) or self.read + size > MOST_BYTES:
            raise ValueError("the value is not there, or too large")
        self.read += size
        data = self.data[place : place + size]
        if kind not in wide:
            return Tag(kind, data, position)
        if count != 1:
            raise ValueError("a list of numbers that plain TIFF cannot hold")
        return Tag(LONG, struct.pack(self.order + "I", struct.unpack(self.order + "Q", data)[0] & 0xFFFFFFFF))


class _Writer:
    """Puts directories and values one behind the other, around the place of the maker's note."""

    def __init__(self, block: TagBlock) -> None:
        self.order, self.tags, self.out = block.order, block.tags, bytearray(8)
        inside = block.tags.get(EXIF_PART)
        note = inside.get(MAKER_NOTE) if isinstance(inside, dict) else None
        self.note = note if isinstance(note, Tag) and 8 <= note.place < NEAR else None
        self.note_written = self.note is None

    def written(self) -> bytes:
        first = self.table(self.tags)
        self.put_note()
        self.out[:8] = (b"II" if self.order == "<" else b"MM") + struct.pack(self.order + "HI", 42, first)
        return bytes(self.out)

    def table(self, tags: Directory) -> int:
        """Puts down a directory and what it points to; returns where it begins."""
        rows = sorted(tags.items())
        at = self.put(bytes(2 + 12 * len(rows) + 4))  # no directory follows: that would be the thumbnail's
        struct.pack_into(self.order + "H", self.out, at, len(rows))
        for index, (number, value) in enumerate(rows):
            kind, count, field = self.field(value)
            self.out[at + 2 + 12 * index : at + 14 + 12 * index] = (
                struct.pack(self.order + "HHI", number, kind, count) + field
            )
        return at

    def field(self, value: "Tag | Directory") -> tuple[int, int, bytes]:
        """Type, count, and the four bytes that are the value or say where it lies."""
        if isinstance(value, dict):
            return LONG, 1, struct.pack(self.order + "I", self.table(value))
        count = len(value.data) // WIDTHS[value.kind]
        if len(value.data) <= 4:
            return value.kind, count, value.data.ljust(4, b"\0")
        at = value.place if value is self.note else self.put(value.data)
        return value.kind, count, struct.pack(self.order + "I", at)

    def put(self, data: bytes) -> int:
        if self.note is not None and len(self.out) + len(self.out) % 2 + len(data) > self.note.place:
            self.put_note()
        self.out += bytes(len(self.out) % 2)
        at = len(self.out)
        self.out += data
        return at

    def put_note(self) -> None:
        if self.note is not None and not self.note_written:
            self.out += bytes(self.note.place - len(self.out)) + self.note.data
            self.note_written = True
