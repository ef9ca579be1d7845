"""Camera data (EXIF): what of it a result keeps."""

from dataclasses import replace

from realedit.files.tiff_tags import ASCII, EXIF_PART, LONG, MAKER_NOTE, PARTS, PLACE_PART, Directory, Tag, TagBlock

HEADER = b"Exif\0\0"
ORIENTATION, DESCRIPTION = 0x0112, 0x010E
WIDTH, HEIGHT = 0xA002, 0xA003
SUBJECT_TAGS = (0x9214, 0xA214)  # where the subject is in the picture as it was stored
FOCAL_IN_35MM, LONG_SIDE_35MM = 0xA405, 36.0  # millimetres
# What a TIFF says of its own pixels, and what is kept by other ways (XMP, IPTC, ICC).
FILE_TAGS = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(292, 293, 297, 301, 317, 318, 319, 320, 322, 323, 324, 325, 332, 338, 339, 340, 341, 342, 343, 347, 512, 515),
    *(517, 518, 519, 520, 521, 529, 530, 531, 532, 559, 700, 33723, 34675),
}
PICTURE_TAGS = {
    330: "further pictures",
    513: "a thumbnail",
    514: "a thumbnail",
    0x501B: "a thumbnail",  # GDI+
    34377: "Photoshop's blocks",
    37724: "Photoshop's layers",
    50784: "layers",  # Alias Sketchbook
    50740: "a raw converter's private block",  # DNGPrivateData
    50828: "the raw file",  # OriginalRawFileData
}
"""Where files keep copies of the picture as it was, and what these are."""
PLACE_TAGS = {
    *(PLACE_PART, MAKER_NOTE),  # makers' own notes may hold positions and names of towns
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113),  # GeoTIFF, and what GDAL says
}
KNOWN_TAGS = {*range(0x10D, 0x200), *range(0x8200, 0x8830), *range(0x9000, 0x9500), *range(0x9C9B, 0x9CA0)}
KNOWN_TAGS |= {*range(0xA000, 0xA500)}
MOST_UNKNOWN = 1024  # bytes of a value that no standard knows: in more, a picture could hide
PICTURE_MARKS = (b"\xff\xd8\xff", b"\xd8\xff\xdb", b"\xd8\xff\xe0", b"\xd8\xff\xe1", b"\x89PNG\r\n", b"8BPS", b"8BIM")
"""How a JPEG, one that lacks its first byte, a PNG and Photoshop's blocks begin."""


def kept(block: bytes, size: tuple[int, int]) -> tuple[bytes, list[str]]:
    """Camera data for the upright picture of a `size` in pixels that was read from them: without the rotation, and
    without what shows or describes the picture before its edit. Also names what that was.

    `block` is an EXIF block, with its name or without, or a whole TIFF file. Broken ones are left out.
    """
    found = _parsed(block)
    if found is None:
        return b"", ["camera data that are broken"] if block.strip(b"\0") not in (b"", b"Exif") else []
    gone = ["a thumbnail"] * found.followed
    for tag in found.left_out:
        if tag not in FILE_TAGS:
            gone.append(PICTURE_TAGS.get(tag, "camera data that are broken or too large"))
    tags = _without_pictures(found.tags, gone)
    turned = found.number(ORIENTATION) not in (None, 1)
    details = tags.get(EXIF_PART)
    if isinstance(details, dict):
        if WIDTH in details and HEIGHT in details:
            details |= {WIDTH: found.packed(LONG, size[0]), HEIGHT: found.packed(LONG, size[1])}
        if turned and any(details.pop(tag, None) for tag in SUBJECT_TAGS):
            gone.append("where the subject was")
    return _written(replace(found, tags=tags)), gone


def _without_pictures(tags: Directory, gone: list[str]) -> Directory:
    left: Directory = {}
    for number, value in tags.items():
        if isinstance(value, dict):
            left[number] = _without_pictures(value, gone)
        elif number in PICTURE_TAGS:
            gone.append(PICTURE_TAGS[number])
        elif any(mark in value.data for mark in PICTURE_MARKS):
            gone.append("the maker's note, which holds a picture" if number == MAKER_NOTE else "a picture in a tag")
        elif number not in KNOWN_TAGS and len(value.data) > MOST_UNKNOWN and number not in FILE_TAGS:
            gone.append("a large tag of unknown meaning")
        elif number not in (ORIENTATION, *FILE_TAGS, *PARTS):
            left[number] = value
    return left


def without_place(exif: bytes) -> bytes:
    """Camera data that do not say where the photo was taken. The maker's note may, and goes too."""
    return _without(exif, PLACE_TAGS)


def without_maker_note(exif: bytes) -> bytes:
    return _without(exif, {MAKER_NOTE})


def _without(exif: bytes, tags: set[int]) -> bytes:
    def left(directory: Directory) -> Directory:
        return {k: left(v) if isinstance(v, dict) else v for k, v in directory.items() if k not in tags}

    found = _parsed(exif)
    return _written(replace(found, tags=left(found.tags))) if found else b""


def described(text: str) -> bytes:
    """Camera data that hold nothing but a caption, in UTF-8 as most programs write and read it."""
    return _written(TagBlock("<", {DESCRIPTION: Tag(ASCII, text.encode() + b"\0")}))


def tags_of(exif: bytes) -> TagBlock:
    """The tags of camera data, none if there are none."""
    return _parsed(exif) or TagBlock("<", {})


def description(exif: bytes) -> str | None:
    """The caption in camera data."""
    text = tags_of(exif).text(DESCRIPTION)
    return text.strip() or None if text else None


def focal_length(exif: bytes, size: tuple[int, int]) -> float | None:
    """The focal length in shorter sides of a photo of `size`, if the camera says what it is like on 35 mm film."""
    millimetres = tags_of(exif).number(FOCAL_IN_35MM, EXIF_PART)
    if millimetres is None or not 5 <= millimetres <= 2000:
        return None
    return millimetres / LONG_SIDE_35MM * max(size) / min(size)


def _parsed(exif: bytes) -> TagBlock | None:
    try:
        return TagBlock.read(exif.removeprefix(HEADER).removeprefix(HEADER))
    except ValueError:
        return None


def _written(block: TagBlock) -> bytes:
    return HEADER + block.written() if block.tags else b""
