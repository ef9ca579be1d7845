"""Files with metadata, built byte by byte: no library that the project reads them with has a hand in them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
}


def picture(height: int = 70, width: int = 90) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([40 + x, 60 + y, 200 - x // 2], -1).clip(0, 255).astype(np.uint8))


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture().save(file, kind, **options)
    return file.getvalue()


def packet(attributes: str = "", inside: str = "") -> bytes:
    names = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {names} {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def dataset(record: int, number: int, value: bytes) -> bytes:
    return bytes((0x1C, record, number)) + len(value).to_bytes(2) + value


def resource(number: int, value: bytes) -> bytes:
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(value).to_bytes(4) + value + b"\0" * (len(value) % 2)


def segment(kind: int, body: bytes) -> bytes:
    return bytes((0xFF, kind)) + (len(body) + 2).to_bytes(2) + body


def jpeg(*segments: bytes) -> bytes:
    plain = saved("JPEG", quality=90)
    return plain[:2] + b"".join(segments) + plain[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


def png(*chunks: bytes) -> bytes:
    plain = saved("PNG")
    return plain[:33] + b"".join(chunks) + plain[33:]


def itxt(keyword: str, text: str) -> bytes:
    return chunk(b"iTXt", keyword.encode() + b"\0" * 5 + text.encode())


WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 129: 1}
Rows = dict[int, "tuple[int, bytes] | Rows"]


def block(rows: Rows, order: str = "<", *, after: Rows | None = None) -> bytes:
    """A TIFF of tags (type, bytes), directories inside each other, and a second directory `after` the first."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8))

    def table(rows: Rows) -> int:
        at = len(out)
        out.extend(struct.pack(order + "H", len(rows)) + bytes(12 * len(rows) + 4))
        for index, (tag, value) in enumerate(sorted(rows.items())):
            if isinstance(value, dict):
                kind, count, field = 4, 1, struct.pack(order + "I", table(value))
            else:
                kind, data = value
                count, field = len(data) // WIDTHS[kind], data.ljust(4, b"\0")
                if len(data) > 4:
                    field = struct.pack(order + "I", len(out))
                    out.extend(data)
            out[at + 2 + 12 * index : at + 14 + 12 * index] = struct.pack(order + "HHI", tag, kind, count) + field
        return at

    table(rows)
    if after is not None:
        second = table(after)
        out[8 + 2 + 12 * len(rows) : 8 + 6 + 12 * len(rows)] = struct.pack(order + "I", second)
    return bytes(out)


def tiff(more: Rows, order: str = "<") -> bytes:
    """A plain TIFF picture with more tags in its first directory."""
    pixels = picture()
    short = lambda *v: (3, struct.pack(f"{order}{len(v)}H", *v))  # noqa: E731
    rows: Rows = {
        256: short(pixels.width),
        257: short(pixels.height),
        258: short(8, 8, 8),
        259: short(1),
        262: short(2),
        277: short(3),
        278: short(pixels.height),
        279: (4, struct.pack(order + "I", 3 * pixels.width * pixels.height)),
        284: short(1),
        **more,
    }
    start = len(block({**rows, 273: (4, bytes(4))}, order))
    return block({**rows, 273: (4, struct.pack(order + "I", start))}, order) + pixels.tobytes()


def exif_jpeg(tags: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + tags)
