"""What the metadata of a picture says of how it came about."""

from defusedxml.ElementTree import fromstring

from realedit.files.xmp import BODY, IPTC_NAMESPACE, RDF


def source_of(packet: bytes) -> str | None:
    """The address of the digital source type that an XMP packet names, if it names one."""
    body = BODY.search(packet)
    if body is None:
        return None
    name = f"{{{IPTC_NAMESPACE}}}DigitalSourceType"
    for description in fromstring(body[0]).iter(f"{{{RDF}}}Description"):
        child = description.find(name)
        found = description.get(name) or (child.text if child is not None else None)
        if found:
            return found
    return None
