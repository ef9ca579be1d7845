"""What the metadata of a picture says of how it came about."""

from realedit.files.xmp import IPTC_NAMESPACE
from realedit.files.xmp_packet import DESCRIPTION, Packet


def source_of(packet: bytes) -> str | None:
    """The address of the digital source type that an XMP packet names, if it names one."""
    found = Packet.read(packet)
    if found is None:
        return None
    name = f"{{{IPTC_NAMESPACE}}}DigitalSourceType"
    for description in found.tree.iter(DESCRIPTION):
        child = description.find(name)
        address = description.get(name) or (child.text if child is not None else None)
        if address:
            return address
    return None
