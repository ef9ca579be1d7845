"""What a file says beside its pixels: true words stay as they are, places go when asked, the old picture goes."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from realedit.files.encoding import Saving, encode, losses
from realedit.files.photo import Photo
from realedit.files.reading import PhotoFile, decode
from realedit.files.tiff_tags import EXIF_PART, PLACE_PART, Tag, TagBlock
from realedit.files.xmp_packet import Packet
from tests.metadata_files import (
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

KINDS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"]
WORDS = "© 2024 Zoë Łukasik, 猫の写真 ☕".encode()
THUMBNAIL = saved("JPEG", quality=10)


def again(data: bytes, kind: str, saving: Saving = Saving()) -> bytes:
    """A file read and written in a format."""
    return encode(decode(data, "a"), kind, saving)


def tags_of(data: bytes) -> TagBlock:
    """The camera data of a file in any format."""
    return TagBlock.read(data if data[:2] in (b"II", b"MM") else decode(data, "a").metadata.exif[6:])


def said(data: bytes, name: str) -> list[str]:
    """What the XMP of a file says in a property and all that is inside it."""
    found = Packet.read(decode(data, "a").metadata.xmp)
    return [] if found is None else [t for t in found.texts(lambda n: n.endswith("}" + name)) if t.strip()]


# Texts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_camera_texts_are_the_same_bytes_in_every_format(kind, order):
    rows = {
        0x010E: (2, WORDS + b"\0"),
        0x013B: (2, b"Ann\0Zo\xc3\xab\0"),
        0x8298: (129, WORDS),  # the type for UTF-8 of Exif 3.0
        0x9C9B: (1, "Zoë".encode("utf-16-le") + b"\0\0"),
        0xEA1C: (7, b"private"),
        EXIF_PART: {
            0x9286: (7, b"UNICODE\0" + "Zoë".encode("utf-16-be")),
            0x829A: (5, struct.pack(order + "II", 1, 100)),
        },
        PLACE_PART: {1: (2, b"N\0"), 2: (5, struct.pack(order + "6I", 53, 1, 33, 1, 0, 1))},
    }
    for data in (jpeg(exif_jpeg(block(rows, order))), tiff(rows, order), png(chunk(b"eXIf", block(rows, order)))):
        found = tags_of(again(data, kind))
        assert found.order == order
        for tag, value in rows.items():
            inside = value if isinstance(value, dict) else {tag: value}
            where = found.tags[tag] if isinstance(value, dict) else found.tags
            for name, (number, text) in inside.items():
                assert (where[name].kind, where[name].data) == (number, text), (kind, hex(name))


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_of_xmp_and_iptc_are_kept(kind):
    press = dataset(1, 90, b"\x1b%G") + dataset(2, 80, "Zoë".encode()) + dataset(2, 116, WORDS)
    words = packet(
        f'photoshop:Headline="{WORDS.decode()}"', "<dc:title><rdf:Alt><rdf:li>Café</rdf:li></rdf:Alt></dc:title>"
    )
    photoshop = segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, press))
    result = again(jpeg(segment(0xE1, XMP_NAME + words), photoshop), kind)
    assert said(result, "Headline") == [WORDS.decode()]
    assert said(result, "title") == ["Café"]
    if kind in ("JPEG", "TIFF"):
        assert decode(result, "a").metadata.iptc == press
    else:
        assert said(result, "creator") == ["Zoë"]
        assert said(result, "rights") == [WORDS.decode(), "x-default"]


def test_prefixes_of_xmp_stay_since_some_readers_look_for_them():
    result = again(
        jpeg(segment(0xE1, XMP_NAME + packet('GPano:PoseHeadingDegrees="12" lr:weightedFlatSubject="x"'))), "JPEG"
    )
    assert b'GPano:PoseHeadingDegrees="12"' in result
    assert b'lr:weightedFlatSubject="x"' in result


def test_a_caption_in_utf8_is_read_as_such(tmp_path):
    for caption, text in ((WORDS, WORDS.decode()), ("Zoë".encode("latin-1"), "Zoë")):
        (tmp_path / "a.jpg").write_bytes(jpeg(exif_jpeg(block({0x010E: (2, caption + b"\0")}))))
        assert PhotoFile.open(tmp_path / "a.jpg").description == text


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_a_png_and_comments_of_a_jpeg(kind):
    """Where a format has no place for them they are written as XMP, or said to be left out."""
    drawn = chunk(b"tEXt", b"parameters\0a vase\nSteps: 20")
    texts = chunk(b"tEXt", "Author\0Zoë".encode("latin-1")), itxt("Copyright", "© Zoë"), drawn
    photo = decode(png(*texts), "a.png")
    result = encode(photo, kind)
    if kind == "PNG":
        assert all(text in result for text in texts)
        assert "before the edit was drawn: parameters" in losses(photo, kind)[0]
    else:
        assert said(result, "creator") == ["Zoë"]
        assert said(result, "rights")[0] == "© Zoë"
        assert losses(photo, kind) == [f"{kind} has no place for these texts, which are left out: parameters"]
    comments = segment(0xFE, b"(c) Ann"), segment(0xFE, "Zoë".encode())
    result = again(jpeg(*comments), kind)
    if kind == "JPEG":
        assert all(comment in result for comment in comments)
    elif kind == "PNG":
        assert [t.text for t in decode(result, "a").metadata.texts] == ["(c) Ann", "Zoë"]
    else:
        assert said(result, "UserComment")[0] == "(c) Ann"


def test_a_drawn_picture_says_its_prompt_in_utf8():
    from realedit.files.exif import described
    from realedit.files.metadata import Metadata

    photo = Photo(np.zeros((64, 70, 3), np.uint8), metadata=Metadata(described("a café ☕")), description="a café ☕")
    for kind in KINDS:
        data = encode(photo, kind)
        assert decode(data, "a").description == "a café ☕"
        assert "a café ☕".encode() in data


# Places

PLACE_XMP = (
    'exif:GPSLatitude="53,33.0N" photoshop:City="Hamburg" photoshop:State="Hansestadt" photoshop:Country="Germany" '
    'Iptc4xmpCore:Location="Elbstrasse" Iptc4xmpCore:CountryCode="DE" drone-dji:GpsLongitude="9.98" geo:lat="53.55" '
    'drone-dji:AbsoluteAltitude="+17.3" dc:rights="Ann"',
    '<Iptc4xmpExt:LocationCreated><rdf:Bag><rdf:li rdf:parseType="Resource">'
    "<exif:GPSLongitude>9,59.0E</exif:GPSLongitude>"
    "<Iptc4xmpExt:City>Altona</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:LocationCreated>"
    '<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li Iptc4xmpExt:Sublocation="Fischmarkt"/></rdf:Bag>'
    "</Iptc4xmpExt:LocationShown><Iptc4xmpExt:ArtworkOrObject><rdf:Bag><rdf:li><rdf:Description>"
    "<Iptc4xmpExt:ProvinceState>Holstein</Iptc4xmpExt:ProvinceState></rdf:Description></rdf:li></rdf:Bag>"
    "</Iptc4xmpExt:ArtworkOrObject><dc:subject><rdf:Bag><rdf:li>vase</rdf:li><rdf:li>hamburg</rdf:li></rdf:Bag></dc:subject>"
    "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Germany|Altona</rdf:li><rdf:li>Things|vase</rdf:li>"
    "<rdf:li>Places|Nienstedten</rdf:li><rdf:li>geo:lon=9.876</rdf:li></rdf:Bag>"
    "</lr:hierarchicalSubject>",
)
PLACE_WORDS = (
    "Hamburg hamburg Hansestadt Germany Elbstrasse Altona Fischmarkt Holstein 53,33 9,59 9.98 53.55 17.3 "
    "Seestadt Nienstedten 9.876"
).split()
PLACE_IIM = b"".join(dataset(2, n, b"Seestadt") for n in (26, 27, 90, 92, 95, 100, 101, 25))
PLACE_TAGS = {
    0x010F: (2, b"Maker\0"),
    33922: (2, b"Seestadt\0"),
    EXIF_PART: {0x829A: (5, struct.pack("<II", 1, 100)), 0x927C: (7, b"AcmeNote Seestadt")},
    PLACE_PART: {
        1: (2, b"N\0"),
        2: (5, struct.pack("<6I", 5333, 7, 11, 13, 17, 19)),
        0x1B: (7, b"ASCII\0\0\0Seestadt"),
    },
}


def placed() -> dict[str, bytes]:
    """Files that say in every way where they were taken, and that Ann has the rights."""
    exif, words = block(PLACE_TAGS), packet(*PLACE_XMP)
    press = PLACE_IIM + dataset(2, 25, b"geo:lon=9.876") + dataset(2, 116, b"Ann") + dataset(2, 25, b"vase")
    raw = f"\niptc\n{len(press):8}\n{press.hex()}"
    photoshop = segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, press))
    rows = {**PLACE_TAGS, 700: (1, words)}
    texts = itxt("exif:GPSLatitude", "53,33.0N"), itxt("Location", "Hamburg"), itxt("Raw profile type iptc", raw)
    return {
        "jpeg": jpeg(exif_jpeg(exif), segment(0xE1, XMP_NAME + words), photoshop),
        "png": png(chunk(b"eXIf", exif), itxt("XML:com.adobe.xmp", words.decode()), *texts),
        "tiff": tiff({**rows, 33723: (7, press)}),
        "tiff of Photoshop": tiff({**rows, 34377: (7, resource(0x0404, press))}),
        "webp": saved("WEBP", exif=exif, xmp=words),
        "avif": saved("AVIF", exif=exif, xmp=words),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", placed())
def test_nothing_tells_the_place(name, kind):
    data = placed()[name]
    kept = again(data, kind)
    assert b"Elbstrasse" in kept  # it is kept unless asked
    stripped = again(data, kind, Saving(strip_place=True))
    assert [word for word in PLACE_WORDS if word.encode() in stripped] == []
    assert struct.pack("<6I", 5333, 7, 11, 13, 17, 19) not in stripped
    assert "Ann" in said(stripped, "rights")
    assert said(stripped, "subject") == ["vase"]
    assert said(stripped, "hierarchicalSubject") == ["Things|vase"]
    assert tags_of(stripped).text(0x010F) == "Maker"
    assert said(stripped, "LocationCreated") == said(stripped, "LocationShown") == []


def test_a_place_in_utf16_goes_too():
    words = b"\xfe\xff" + packet(*PLACE_XMP).decode().encode("utf-16-be")
    stripped = again(tiff({700: (1, words)}), "TIFF", Saving(strip_place=True))
    assert said(stripped, "rights") == ["Ann"]
    assert [word for word in PLACE_WORDS if word.encode() in stripped] == []


# The old picture


def note_of(data: bytes) -> str:
    return " ".join(decode(data, "a").notes)


OLD = b"THE OLD PICTURE"
OLD_PICTURES = {
    "thumbnail": (
        jpeg(exif_jpeg(block({0x010F: (2, b"Maker\0")}, after={513: (4, bytes(4)), 0x9999: (7, OLD)}))),
        "a thumbnail",
    ),
    "layers in a TIFF": (tiff({37724: (7, b"Adobe Photoshop Document Data Block\0" + OLD)}), "Photoshop's layers"),
    "layers in a JPEG": (jpeg(exif_jpeg(block({37724: (7, OLD)}))), "Photoshop's layers"),
    "layers of 5 MB": (tiff({37724: (7, OLD * 400_000)}), "Photoshop's layers"),
    "Photoshop's thumbnail in a TIFF": (tiff({34377: (7, resource(1036, OLD))}), "Photoshop's blocks"),
    "Photoshop's thumbnail": (jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(1036, OLD))), "Photoshop's blocks"),
    "another program's layers": (tiff({50784: (7, OLD)}), "layers"),
    "a private block": (tiff({65001: (7, OLD * 100)}), "a large tag of unknown meaning"),
    "a maker's note with a preview": (
        jpeg(exif_jpeg(block({EXIF_PART: {0x927C: (7, b"Acme\0\0\xff\xd8\xff\xdb" + OLD)}}))),
        "the maker's note, which holds a picture",
    ),
    "a preview of the press": (
        jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, dataset(2, 202, OLD) + dataset(2, 116, b"Ann")))),
        "a preview",
    ),
    "thumbnails in XMP": (
        jpeg(
            segment(0xE1, XMP_NAME + packet("", f"<xmp:Thumbnails><rdf:Alt>{OLD.decode()}</rdf:Alt></xmp:Thumbnails>"))
        ),
        "a thumbnail",
    ),
    "a video": (
        jpeg(segment(0xE1, XMP_NAME + packet('GCamera:MotionPhoto="1" GCamera:MicroVideoOffset="5000"')))
        + b"\0\0\0\x18ftypmp42"
        + OLD,
        "what lies behind the picture (video",
    ),
    "a container": (
        jpeg(
            segment(
                0xE1,
                XMP_NAME
                + packet("", '<Container:Directory><rdf:Seq><rdf:li Item:Length="9"/></rdf:Seq></Container:Directory>'),
            )
        ),
        "pointers to it",
    ),
    "depth": (
        jpeg(segment(0xE1, XMP_NAME + packet(f'GDepth:Data="{OLD.decode()}" hdrgm:Version="1.0"'))),
        "pointers to it",
    ),
    "extended XMP": (
        jpeg(
            segment(0xE1, XMP_NAME + packet('xmpNote:HasExtendedXMP="ABC"')),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + OLD),
        ),
        "more XMP",
    ),
    "history": (
        png(
            itxt(
                "XML:com.adobe.xmp",
                packet(f'photoshop:TextLayers="{OLD.decode()}" xmpMM:InstanceID="xmp.iid:1"').decode(),
            )
        ),
        "the history of earlier edits",
    ),
    "checksums": (jpeg(segment(0xE1, XMP_NAME + packet(f'photoshop:LegacyIPTCDigest="{OLD.decode()}"'))), "checksums"),
    "faces": (
        jpeg(segment(0xE1, XMP_NAME + packet("", f"<mwg-rs:Regions>{OLD.decode()}</mwg-rs:Regions>"))),
        "where faces and things were",
    ),
    "an unknown raw profile": (png(itxt("Raw profile type app12", OLD.decode())), "the block 'Raw profile type app12'"),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("name", OLD_PICTURES)
def test_what_shows_the_old_picture_goes_and_is_said(name, kind):
    data, what = OLD_PICTURES[name]
    assert what in note_of(data)
    result = again(data, kind)
    assert OLD not in result
    for pointer in (
        b"MotionPhoto",
        b"MicroVideo",
        b"HasExtendedXMP",
        b"Directory",
        b"GDepth:",
        b"hdrgm:",
        b"InstanceID",
    ):
        assert pointer not in result


def test_a_plain_photo_has_no_notes():
    assert decode(jpeg(exif_jpeg(block({0x010F: (2, b"Maker\0")}))), "a").notes == ()
    assert decode(saved("PNG"), "a").notes == ()


def test_a_makers_note_keeps_its_place_since_it_counts_from_the_beginning():
    """Its bytes lie where they lay, behind texts that come before it."""
    rows = {
        0x010F: (2, b"A maker of cameras\0"),
        0x8298: (2, b"(c) Zo\xc3\xab\0"),
        EXIF_PART: {0x927C: (7, b"Acme" * 9)},
    }
    exif = block(rows, ">")
    result = again(jpeg(exif_jpeg(exif)), "JPEG")
    written = result[result.index(b"Exif\0\0") + 6 :]
    assert written.index(b"Acme" * 9) == exif.index(b"Acme" * 9)


def test_the_subject_of_a_turned_photo_is_elsewhere():
    details = {
        0x9214: (3, struct.pack("<2H", 10, 20)),
        0xA002: (4, struct.pack("<I", 90)),
        0xA003: (4, struct.pack("<I", 70)),
    }
    for turn, kept in ((1, True), (6, False)):
        data = jpeg(exif_jpeg(block({0x0112: (3, struct.pack("<H", turn)), EXIF_PART: details})))
        found = tags_of(again(data, "JPEG"))
        assert (0x9214 in found.tags[EXIF_PART]) == kept
        assert (found.number(0xA002, EXIF_PART), found.number(0xA003, EXIF_PART)) == ((90, 70) if kept else (70, 90))


def test_blocks_too_long_for_a_jpeg_are_left_out_and_said():
    long = b"x" * 66_000
    cases = {
        "the maker's note": tiff({0x010F: (2, b"Maker\0"), EXIF_PART: {0x927C: (7, long)}}),
        "the camera data": tiff({EXIF_PART: {0x9286: (7, long)}}),
        "the XMP": tiff({700: (1, packet(f'dc:source="{long.decode()}"'))}),
        "the IPTC block": tiff({33723: (7, dataset(2, 120, long[:30_000]) * 3)}),
    }
    for what, data in cases.items():
        photo = decode(data, "a")
        assert [what in note for note in losses(photo, "JPEG")] == [True]
        assert losses(photo, "TIFF") == []
        assert decode(encode(photo, "JPEG"), "b").size == (90, 70)
        assert len(encode(photo, "TIFF")) > 66_000
    assert tags_of(again(cases["the maker's note"], "JPEG")).text(0x010F) == "Maker"


# The tags of TIFF and EXIF themselves

TAGS = st.dictionaries(
    st.integers(1, 65535).filter(lambda n: n not in (EXIF_PART, PLACE_PART, 0xA005)),
    st.builds(
        lambda kind, data: Tag(
            kind, data[: len(data) // {1: 1, 2: 1, 3: 2, 5: 8, 7: 1}[kind] * {1: 1, 2: 1, 3: 2, 5: 8, 7: 1}[kind]]
        ),
        st.sampled_from([1, 2, 3, 5, 7]),
        st.binary(min_size=8, max_size=40),
    ),
    max_size=8,
)


def values(tags: dict) -> dict:
    return {n: values(v) if isinstance(v, dict) else (v.kind, v.data) for n, v in tags.items()}


@settings(max_examples=100, deadline=500)
@given(TAGS, TAGS, TAGS, st.sampled_from("<>"), st.integers(0, 400))
def test_any_tags_are_written_as_they_were_read(first, details, place, order, at):
    details = {**details, 0x927C: Tag(7, b"a note of the maker", at)}
    tags = {**first, EXIF_PART: details, PLACE_PART: place}
    written = TagBlock(order, tags).written()
    found = TagBlock.read(written)
    assert values(found.tags) == values(tags)
    assert at < 8 or written[at : at + 19] == b"a note of the maker"
    assert not found.followed
    assert found.left_out == ()


def test_a_big_tiff_is_read():
    rows = struct.pack("<HHQ8s", 0x010F, 2, 6, b"Maker\0".ljust(8, b"\0")) + struct.pack("<HHQQ", 0x8298, 2, 18, 100)
    data = (b"II" + struct.pack("<HHHQ", 43, 8, 0, 16) + struct.pack("<Q", 2) + rows).ljust(
        100, b"\0"
    ) + b"(c) a long name..\0"
    found = TagBlock.read(data)
    assert (found.text(0x010F), found.text(0x8298)) == ("Maker", "(c) a long name..")


def test_pillow_reads_what_is_written():
    rows = {0x010F: (2, b"Maker\0"), EXIF_PART: {0x829A: (5, struct.pack(">II", 1, 50))}}
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
        exif = Image.open(io.BytesIO(again(jpeg(exif_jpeg(block(rows, ">"))), kind))).getexif()
        assert exif[0x010F] == "Maker"
        assert exif.get_ifd(EXIF_PART)[0x829A] == pytest.approx(0.02)
