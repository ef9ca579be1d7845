"""An XMP packet as a tree: read from a file that nobody vouches for, and written in UTF-8 with its own prefixes."""

import contextlib
import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
DESCRIPTION = f"{{{RDF}}}Description"
WRAPPER = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n%s\n<?xpacket end="w"?>'
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
LARGEST_TREE = 2_000_000  # bytes; more is not read
DEEPEST, MOST_ELEMENTS, MOST_PREFIXES = 60, 50_000, 100  # real packets have about ten, a thousand and twenty


class Packet:
    """The tree of a packet and the namespaces by the prefixes that it had."""

    def __init__(self, tree: ElementTree.Element, prefixes: dict[str, str]) -> None:
        self.tree, self.prefixes = tree, prefixes

    @classmethod
    def read(cls, data: bytes) -> "Packet | None":
        """None: it is broken, too large, or tries something that metadata has no need of, such as entities."""
        if len(data) > LARGEST_TREE:
            return None
        with contextlib.suppress(ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
            data = _in_utf8(data).strip(b"\0 \r\n\t")
            return cls._parsed(data) or cls._parsed(_body(data))
        return None

    @classmethod
    def _parsed(cls, data: bytes) -> "Packet | None":
        builder = _Builder()
        parser = XMLParser(target=builder, forbid_dtd=True)
        try:
            parser.feed(data)
            tree = parser.close()
        except ElementTree.ParseError:
            return None
        return cls(tree, builder.prefixes) if tree.find(f".//{DESCRIPTION}") is not None else None

    @classmethod
    def empty(cls) -> "Packet":
        tree = ElementTree.Element(f"{{{META}}}xmpmeta")
        rdf = ElementTree.SubElement(tree, f"{{{RDF}}}RDF")
        ElementTree.SubElement(rdf, DESCRIPTION, {f"{{{RDF}}}about": ""})
        return cls(tree, {})

    def properties(self) -> ElementTree.Element:
        """The element in which properties stand."""
        found = self.tree.find(f".//{DESCRIPTION}")
        assert found is not None  # it was read or made with one
        return found

    def has(self, name: str) -> bool:
        return any(each.tag == name or name in each.attrib for each in self.tree.iter())

    def drop(self, unwanted: Callable[[str], bool]) -> list[str]:
        """Take properties out by their names, wherever they stand; returns these names."""
        dropped = []
        for element in list(self.tree.iter()):
            for name in [n for n in element.attrib if unwanted(n)]:
                del element.attrib[name]
                dropped.append(name)
            for child in [c for c in element if unwanted(c.tag)]:
                element.remove(child)
                dropped.append(child.tag)
        return dropped

    def texts(self, wanted: Callable[[str], bool]) -> Iterator[str]:
        """The texts of properties with such names, and of all that stands in them."""
        for element in self.tree.iter():
            yield from (value for name, value in element.attrib.items() if wanted(name))
            if wanted(element.tag):
                yield from element.itertext()
                yield from (value for inner in element.iter() for value in inner.attrib.values())

    def add(self, name: str, container: str | None, values: list[str]) -> None:
        """A property of one text, or of several in an RDF container, unless there is one of this name."""
        if self.has(name) or not values:
            return
        clean = [NO_XML.sub("", value) for value in values]
        if container is None:
            self.properties().set(name, clean[0])
            return
        parent = ElementTree.SubElement(ElementTree.SubElement(self.properties(), name), f"{{{RDF}}}{container}")
        for value in clean[:1] if container == "Alt" else clean:
            language = {XML_LANGUAGE: "x-default"} if container == "Alt" else {}
            ElementTree.SubElement(parent, f"{{{RDF}}}li", language).text = value

    def written(self, names: dict[str, str]) -> bytes:
        """The packet with its own prefixes, and those of `names` for the namespaces of these."""
        for prefix, address in {**self.prefixes, **names, "x": META, "rdf": RDF}.items():
            with contextlib.suppress(ValueError):  # a prefix that ElementTree keeps for itself
                ElementTree.register_namespace(prefix, address)
        return WRAPPER % ElementTree.tostring(self.tree, encoding="utf-8")


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree of bounded depth and size, and remembers prefixes."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.count, self.prefixes = 0, 0, dict[str, str]()

    def start_ns(self, prefix: str, address: str) -> None:
        if prefix and len(self.prefixes) < MOST_PREFIXES:
            self.prefixes.setdefault(prefix, address)

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:  # type: ignore[override]
        self.depth, self.count = self.depth + 1, self.count + 1
        if self.depth > DEEPEST or self.count > MOST_ELEMENTS:
            raise ValueError("the XMP is deeper or longer than metadata are")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ElementTree.Element:
        self.depth -= 1
        return super().end(tag)


def _in_utf8(data: bytes) -> bytes:
    """A packet may be in UTF-16, with or without a mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16").encode()
    zeros = data[:2].count(0)
    return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le").encode() if len(data) > 1 and zeros == 1 else data


def _body(data: bytes) -> bytes:
    """What lies between the outer element's tags, for packets with something else around them."""
    for name in (b":xmpmeta", b":xapmeta", b":RDF"):
        first, last = data.find(name), data.rfind(name)
        if first < last:
            return data[data.rfind(b"<", 0, first) : data.find(b">", last) + 1]
    return b""
