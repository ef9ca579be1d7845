"""Metadata that somebody made to harm: whatever they hold, reading and writing takes little time."""

import random
import struct
import time
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inversion.errors import PhotoError
from realedit.files import exif, iptc, xmp
from realedit.files.encoding import Saving, encode, losses
from realedit.files.png import texts
from realedit.files.reading import decode
from realedit.files.xmp import DigitalSourceType, marked
from tests.metadata_files import (
    NAMESPACES,
    XMP_NAME,
    block,
    chunk,
    dataset,
    exif_jpeg,
    itxt,
    jpeg,
    packet,
    png,
    resource,
    saved,
    segment,
    tiff,
)

MEGABYTE = 1_000_000
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
OPENED = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description>'
CLOSED = "</rdf:Description></rdf:RDF></x:xmpmeta>"


def full(begin: str, repeated: str, end: str = "", size: int = MEGABYTE) -> bytes:
    """As many repetitions as fit."""
    return (begin + repeated * ((size - len(begin) - len(end)) // len(repeated)) + end).encode()


def many(begin: str, each: str, end: str, count: int) -> bytes:
    """Repetitions with their numbers in them."""
    return (begin + "".join(each.format(i) for i in range(count)) + end).encode()


PACKETS = {
    "openings": full("", "<x:RDF "),
    "openings with their ends": full("", "<x:RDF></x:RDF "),
    "elements inside each other": full(OPENED, "<a>"),
    "elements beside each other": full(OPENED, "<a/>", CLOSED),
    "one attribute": full(OPENED[:-1] + ' a="', "x", '"/>' + CLOSED),
    "attributes": many(OPENED[:-1], ' a{}=""', ">" + CLOSED, 30_000),
    "prefixes": many(OPENED[:-1], ' xmlns:a{0}="{0}"', ">" + CLOSED, 30_000),
    "prefixes on elements": many(OPENED, '<a xmlns:b{0}="c{0}" b{0}:d=""/>', CLOSED, 10_000),
    "spaces in a keyword": full(OPENED + "<rdf:Bag><rdf:li>", " ", "</rdf:li></rdf:Bag>" + CLOSED),
    "keywords": full(OPENED + "<rdf:Bag>", "<rdf:li>a|b</rdf:li>", "</rdf:Bag>" + CLOSED),
    "places inside each other": full(OPENED, "<city>" * 50 + "a" * 50 + "</city>" * 50, CLOSED),
    "a long name": full(OPENED + "<", "gps", "/>" + CLOSED),
    "comments": full(OPENED, "<!---->", CLOSED),
    "instructions": full("", "<?xpacket?>", OPENED + CLOSED),
    "markup without end": full("<!", "[CDATA["),
    "entities": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>' + full(OPENED, "&c;", CLOSED),
    "character references": full(OPENED, "&#65;", CLOSED),
    "ends": full("", ":xmpmeta>"),
    "two bytes a letter": full("", "<x:RDF ", size=MEGABYTE // 2).decode().encode("utf-16"),
    "nothing": bytes(MEGABYTE),
    "more than is read": packet(f'dc:source="{"x" * MEGABYTE}"'),
}


@pytest.mark.parametrize("name", PACKETS)
def test_no_packet_takes_long(name):
    began = time.process_time()
    left, _ = xmp.kept(PACKETS[name])
    assert b"DigitalSourceType" in marked(xmp.without_place(left), DigitalSourceType.EDITED)
    assert time.process_time() - began < 6


def overlapping(count: int) -> bytes:
    """A directory of many tags that all are the same megabyte."""
    rows = b"".join(struct.pack("<HHII", tag, 7, MEGABYTE, 8) for tag in range(1, count + 1))
    return b"II*\0" + struct.pack("<I", 8 + MEGABYTE) + bytes(MEGABYTE) + struct.pack("<H", count) + rows + bytes(4)


def chain(count: int) -> bytes:
    """Interoperability directories inside each other."""
    data = bytearray(b"II*\0" + struct.pack("<I", 8))
    for index in range(count):
        data += struct.pack("<HHHIII", 1, 0xA005, 4, 1, 8 + 18 * (index + 1), 0)
    return bytes(data)


FILES = {
    "a tiff of such tags": overlapping(30_000),
    "directories inside each other": png(chunk(b"eXIf", chain(50_000))),
    "a directory that is its own part": jpeg(
        exif_jpeg(b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8))
    ),
    "texts": png(*(chunk(b"tEXt", b"a\0") for _ in range(80_000))),
    "blocks as texts": png(*(chunk(b"tEXt", b"Raw profile type %d\0" % n) for n in range(30_000))),
    "press datasets": jpeg(*(segment(0xED, b"Photoshop 3.0\0" + resource(0x404, dataset(2, 25, b"") * 12_000)),) * 20),
    "a dataset of endless length": jpeg(
        segment(0xED, b"Photoshop 3.0\0" + resource(0x404, b"\x1c\x02\x19\xff\xff" + b"\xff" * 60_000))
    ),
    "Photoshop's blocks": tiff({34377: (7, resource(1, b"") * 80_000)}),
    "comments": jpeg(*(segment(0xFE, b"x" * 60_000),) * 40),
    "a text that unpacks to more": png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000), 9))),
    "a keyword that speaks to the terminal": png(chunk(b"tEXt", b"\x1b[2Jparameters\0x")),
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_takes_long(name):
    began = time.process_time()
    try:
        photo = decode(FILES[name], "a")
    except PhotoError:
        photo = None
    if photo is not None:
        assert all(len(note) < 1500 and note.isprintable() for note in (*photo.notes, *losses(photo, "JPEG")))
        for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
            encode(photo, kind, Saving(strip_place=True))
    assert time.process_time() - began < 6


TOKENS = st.sampled_from(
    [
        *(
            "<",
            ">",
            "/>",
            "</",
            "x:xmpmeta",
            "rdf:RDF",
            "rdf:Description",
            "rdf:Bag",
            "rdf:li",
            "dc:subject",
            "photoshop:City",
        ),
        *(
            '="',
            '"',
            " ",
            "a",
            "&amp;",
            "&a;",
            "]]>",
            "<![CDATA[",
            "<!--",
            "-->",
            "<?xpacket",
            "?>",
            "\0",
            "é",
            "\ufeff",
        ),
        *(f' xmlns:{prefix}="{address}"' for prefix, address in list(NAMESPACES.items())[:4]),
        *(OPENED, CLOSED, "exif:GPSLatitude", "GCamera:MotionPhoto"),
    ]
)


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TOKENS, max_size=12), st.lists(TOKENS, max_size=12), st.integers(0, 5000))
def test_any_words_of_xmp_end_soon(begin, repeated, count):
    """Out of any words, some of them repeated up to the largest packet, a packet with the mark comes."""
    data = ("".join(begin) + "".join(repeated) * count).encode()[:MEGABYTE]
    left, _ = xmp.kept(data)
    assert b"DigitalSourceType" in marked(xmp.without_place(left), DigitalSourceType.EDITED)


@settings(max_examples=300, deadline=1000)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"Exif\0\0II*\0\x08\0\0\0"])
)
def test_any_bytes_are_camera_data_and_press_blocks(data, begin):
    """Nothing but what was read is written, and once more gives the same."""
    left, _ = exif.kept(begin + data, (90, 70))
    assert exif.kept(left, (90, 70))[0] == left
    assert exif.kept(exif.without_place(left), (90, 70))[1] == []
    exif.description(left)
    press, _ = iptc.kept(data)
    assert data.startswith(press) or b"".join(d.whole for d in iptc.datasets(data)) != press
    assert iptc.kept(press)[0] == press
    iptc.of_resources(data)
    texts(b"\x89PNG\r\n\x1a\n" + data)


ALL = {
    "jpeg": jpeg(
        exif_jpeg(block({0x010F: (2, b"Maker\0"), 0x8769: {0x829A: (5, bytes(8))}}, after={513: (4, bytes(4))})),
        segment(0xE1, XMP_NAME + packet('photoshop:City="Hamburg"')),
        segment(0xED, b"Photoshop 3.0\0" + resource(0x404, dataset(2, 90, b"Hamburg"))),
        segment(0xFE, b"(c) Ann"),
    ),
    "png": png(
        chunk(b"gAMA", struct.pack(">I", 100_000)), itxt("Author", "Zoë"), itxt("XML:com.adobe.xmp", packet().decode())
    ),
    "tiff": tiff({700: (1, packet()), 33723: (7, dataset(2, 90, b"Hamburg")), 0x010F: (2, b"Maker\0")}),
    "webp": saved("WEBP", exif=block({0x010F: (2, b"Maker\0")}), xmp=packet()),
}


@settings(max_examples=200, deadline=2000)
@given(st.sampled_from(sorted(ALL)), st.integers(0, 2**32), st.integers(1, 30))
def test_changed_bytes_end_in_a_photo_or_one_error(name, seed, count):
    """Bytes of the first two thousand, where metadata are, changed at random."""
    chance, data = random.Random(seed), bytearray(ALL[name])
    for _ in range(count):
        data[chance.randrange(min(len(data), 2000))] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
    try:
        photo = decode(bytes(data), "a")
    except PhotoError:
        return
    for kind in ("JPEG", "PNG", "TIFF"):
        assert decode(encode(photo, kind, Saving(strip_place=True)), "b").size == photo.size
