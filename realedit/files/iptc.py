"""The press's caption block: datasets of the IPTC Information Interchange Model (version 4.2), byte for byte."""

from collections.abc import Iterator
from dataclasses import dataclass

from realedit.files.tiff_tags import decoded
from realedit.files.xmp_rules import keyword_tells_place

MARKER = 0x1C  # before every dataset
LONGEST_PLAIN = 0x8000  # from which on the length says how many bytes hold the length
RESOURCE = 0x0404  # Photoshop's number of the block
# Content location code and name, city, sublocation, province, country's code and name.
PLACE_DATASETS = {(2, 26), (2, 27), (2, 90), (2, 92), (2, 95), (2, 100), (2, 101)}
KEYWORD = (2, 25)
# A preview's format, version and bytes; and records 7 to 9, which hold the picture itself.
PREVIEW_DATASETS, FIRST_OBJECT_RECORD = {(2, 200), (2, 201), (2, 202)}, 7
TEXTS = {
    (2, 5): "Title",
    (2, 80): "Author",
    (2, 116): "Copyright",
    (2, 120): "Description",
    KEYWORD: "Keywords",
    (2, 105): "Headline",
    (2, 110): "Credit",
    (2, 115): "Source",
    (2, 40): "Instructions",
    (2, 90): "City",
    (2, 92): "Sublocation",
    (2, 95): "State",
    (2, 101): "Country",
}
"""The datasets that have a name in XMP as well."""


@dataclass(frozen=True)
class Dataset:
    """One value: record and number, its bytes, and the bytes of header and value together."""

    key: tuple[int, int]
    value: bytes
    whole: bytes


def datasets(block: bytes) -> Iterator[Dataset]:
    """The values of a block, until it ends or breaks."""
    at = 0
    while at + 5 <= len(block) and block[at] == MARKER:
        size, start = int.from_bytes(block[at + 3 : at + 5]), at + 5
        if size >= LONGEST_PLAIN:
            start += size - LONGEST_PLAIN
            size = int.from_bytes(block[at + 5 : start])
        if start + size > len(block):
            return
        yield Dataset((block[at + 1], block[at + 2]), block[start : start + size], block[at : start + size])
        at = start + size


def of_resources(resources: bytes) -> bytes:
    """The block among Photoshop's image resources (each "8BIM", a number, a name, a length and bytes)."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        start = at + 7 + resources[at + 6]
        start += start % 2
        size = int.from_bytes(resources[start : start + 4])
        if int.from_bytes(resources[at + 4 : at + 6]) == RESOURCE:
            return resources[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
    return b""


def as_resource(block: bytes) -> bytes:
    """The block as one of Photoshop's image resources."""
    return b"8BIM" + RESOURCE.to_bytes(2) + b"\0\0" + len(block).to_bytes(4) + block + b"\0" * (len(block) % 2)


def kept(block: bytes) -> tuple[bytes, list[str]]:
    """A block without previews of the picture before its edit, and what these were."""
    found = list(datasets(block))
    left = [d for d in found if d.key not in PREVIEW_DATASETS and d.key[0] < FIRST_OBJECT_RECORD]
    broken = bool(block[sum(len(d.whole) for d in found) :].strip(b"\0"))
    gone = ["a preview"] * (len(left) < len(found)) + ["IPTC data that are broken"] * broken
    return b"".join(d.whole for d in left), gone


def without_place(block: bytes) -> bytes:
    """A block that does not say where the photo was taken, also not in a keyword that is the name of the place."""
    found = list(datasets(block))
    names = {decoded(d.value).strip().lower() for d in found if d.key in PLACE_DATASETS} - {""}
    left = [d for d in found if d.key not in PLACE_DATASETS]
    return b"".join(d.whole for d in left if d.key != KEYWORD or not keyword_tells_place(decoded(d.value), names))


def texts(block: bytes) -> list[tuple[str, str]]:
    """What a block says, by the names of `TEXTS`."""
    return [(TEXTS[d.key], decoded(d.value)) for d in datasets(block) if d.key in TEXTS]
