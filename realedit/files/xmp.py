"""XMP, the metadata that says how a picture came about: read from the source, marked, and handed on.

The mark is IPTC's digital source type (Photo Metadata Standard 2023.1), which photo libraries and social
networks read to label pictures that a generative model made or changed.
"""

import re
from enum import StrEnum
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
IPTC_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
XAP = "http://ns.adobe.com/xap/1.0/"
NAMES = {"x": META, "rdf": RDF, "Iptc4xmpExt": IPTC_NAMESPACE, "tiff": TIFF, "exif": EXIF, "xmp": XAP}
PACKET = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n%s\n<?xpacket end="w"?>'
BODY = re.compile(rb"<(\w+:(?:xmpmeta|xapmeta|RDF))\b.*</\1\s*>", re.DOTALL)  # without wrapper and padding
LARGEST_PACKET = 60_000  # bytes: more does not fit a JPEG's segment


class DigitalSourceType(StrEnum):
    """How a picture came about, in IPTC's words."""

    EDITED = "compositeWithTrainedAlgorithmicMedia"
    GENERATED = "trainedAlgorithmicMedia"

    @property
    def address(self) -> str:
        return f"http://cv.iptc.org/newscodes/digitalsourcetype/{self.value}"


def marked(packet: bytes, source: DigitalSourceType) -> bytes:
    """A packet that says how the picture came about, and keeps all else that `packet` said; one that
    cannot be read, or is too large for every format, is replaced."""
    tree = _tree(packet)
    place = tree.find(f".//{{{RDF}}}Description")
    if place is None:
        tree, place = _empty()
    name = f"{{{IPTC_NAMESPACE}}}DigitalSourceType"
    for each in _descriptions(tree):
        each.attrib.pop(name, None)
        _drop(each, name)
    place.set(name, source.address)
    written = _packet(tree)
    return written if len(written) <= LARGEST_PACKET else marked(b"", source)


def cleaned(packet: bytes, *, strip_place: bool = False) -> bytes:
    """A packet without what an edit makes untrue, rotation and thumbnails, and without the place where
    the photo was taken if that is asked."""
    if not packet:
        return b""
    tree = _tree(packet)
    for each in _descriptions(tree):
        stale = [f"{{{TIFF}}}Orientation", f"{{{XAP}}}Thumbnails"]
        if strip_place:
            names = [*each.attrib, *(child.tag for child in each)]
            stale += [n for n in names if n.startswith(f"{{{EXIF}}}GPS")]
        for name in stale:
            each.attrib.pop(name, None)
            _drop(each, name)
    return _packet(tree)


def _tree(packet: bytes) -> ElementTree.Element:
    try:
        found = BODY.search(packet)
        tree = fromstring(found[0]) if found else None
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        tree = None
    return tree if tree is not None else _empty()[0]


def _empty() -> tuple[ElementTree.Element, ElementTree.Element]:
    tree = ElementTree.Element(f"{{{META}}}xmpmeta")
    rdf = ElementTree.SubElement(tree, f"{{{RDF}}}RDF")
    return tree, ElementTree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})


def _descriptions(tree: ElementTree.Element) -> list[ElementTree.Element]:
    return tree.findall(f".//{{{RDF}}}Description")


def _drop(place: ElementTree.Element, name: str) -> None:
    for child in place.findall(name):
        place.remove(child)


def _packet(tree: ElementTree.Element) -> bytes:
    for prefix, address in NAMES.items():
        ElementTree.register_namespace(prefix, address)
    return PACKET % ElementTree.tostring(tree, encoding="utf-8")
