"""XMP, the metadata that says how a picture came about: read from the source, marked, and handed on.

The mark is IPTC's digital source type (Photo Metadata Standard 2023.1), which photo libraries and social
networks read to label pictures that a generative model made or changed.
"""

from collections.abc import Mapping
from enum import StrEnum

from realedit.files.xmp_packet import RDF, Packet
from realedit.files.xmp_rules import keyword_tells_place, outdated, tells_place

IPTC_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
XAP = "http://ns.adobe.com/xap/1.0/"
DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
NAMES = {"Iptc4xmpExt": IPTC_NAMESPACE, "Iptc4xmpCore": CORE, "tiff": TIFF, "exif": EXIF, "xmp": XAP, "dc": DC}
NAMES |= {"photoshop": PHOTOSHOP}
LARGEST_PACKET = 1_000_000  # bytes of a file's XMP; more is left out
# Where a text goes, and the RDF container that the property is in.
PROPERTIES = {
    "Title": (DC, "title", "Alt"),
    "Author": (DC, "creator", "Seq"),
    "Copyright": (DC, "rights", "Alt"),
    "Description": (DC, "description", "Alt"),
    "Keywords": (DC, "subject", "Bag"),
    "Comment": (EXIF, "UserComment", "Alt"),
    "Software": (XAP, "CreatorTool", None),
    "Headline": (PHOTOSHOP, "Headline", None),
    "Credit": (PHOTOSHOP, "Credit", None),
    "Source": (PHOTOSHOP, "Source", None),
    "Instructions": (PHOTOSHOP, "Instructions", None),
    "City": (PHOTOSHOP, "City", None),
    "State": (PHOTOSHOP, "State", None),
    "Country": (PHOTOSHOP, "Country", None),
    "Sublocation": (CORE, "Location", None),
}


CREATOR = b"realedit: drawn beside a photo"
BY_PRODUCT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="' + CREATOR + b'"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
"""The XMP of masks, contact sheets and pictures of steps, which are no photos."""


class DigitalSourceType(StrEnum):
    """How a picture came about, in IPTC's words."""

    EDITED = "compositeWithTrainedAlgorithmicMedia"
    GENERATED = "trainedAlgorithmicMedia"

    @property
    def address(self) -> str:
        return f"http://cv.iptc.org/newscodes/digitalsourcetype/{self.value}"


def marked(packet: bytes, source: DigitalSourceType) -> bytes:
    """A packet that says how the picture came about, and keeps all else that `packet` said; one that cannot be read
    is replaced."""
    found = Packet.read(packet) or Packet.empty()
    name = f"{{{IPTC_NAMESPACE}}}DigitalSourceType"
    found.drop(name.__eq__)
    found.properties().set(name, source.address)
    return found.written(NAMES)


def kept(packet: bytes) -> tuple[bytes, list[str]]:
    """A packet without what an edit makes untrue, and what that was."""
    if not packet.strip(b"\0 \r\n\t"):
        return b"", []
    found = Packet.read(packet) if len(packet) <= LARGEST_PACKET else None
    gone = [outdated(name) for name in found.drop(lambda name: outdated(name) is not None)] if found else []
    left = found.written(NAMES) if found else b""
    if not left or len(left) > LARGEST_PACKET:
        return b"", ["XMP that is broken or too large"]
    return left, [what for what in gone if what]


def without_place(packet: bytes) -> bytes:
    """A packet that does not say where the photo was taken, also not in a keyword that names the place."""
    found = Packet.read(packet)
    if found is None:
        return b""
    names = {text.strip().lower() for text in found.texts(tells_place)} - {""}
    found.drop(tells_place)
    for each in found.tree.iter():
        if each.tag in (f"{{{RDF}}}Bag", f"{{{RDF}}}Seq"):
            for item in [i for i in each if keyword_tells_place(i.text or "", names)]:
                each.remove(item)
    return found.written(NAMES)


def with_texts(packet: bytes, texts: Mapping[str, list[str]]) -> bytes:
    """A packet that says `texts`, by the names of `PROPERTIES`, too, where it says nothing of the kind."""
    found = Packet.read(packet) or Packet.empty()
    for key, values in texts.items():
        space, local, container = PROPERTIES[key]
        found.add(f"{{{space}}}{local}", container, values)
    return found.written(NAMES)
