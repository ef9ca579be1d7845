"""Which properties of XMP tell where a photo was taken, and which describe the picture before its edit.

A property is a name in Clark's notation, "{namespace}local". Programs put places under many namespaces (IPTC, EXIF,
Photoshop, drones, map programs), so that these are known by their local names.
"""

import re

LARGEST_NAME = 200  # characters of a name that is looked at
PLACE_NAMES = {
    *("city", "state", "country", "countrycode", "countryname", "provincestate", "province", "sublocation", "street"),
    *("worldregion", "location", "locationcreated", "locationshown", "locationid", "locationname", "shotlocation"),
    *("coverage", "lat", "lon", "long", "lng", "place", "placename", "address", "landmark", "poi"),
}
PLACE_PARTS = ("gps", "latitude", "longitude", "altitude", "geotag", "geolocation", "geocode", "geohash")
PLACE_NAMESPACE = re.compile(r"/geo/|georss|wgs84|opengis")

PLACE_ROOTS = {"places", "place", "locations", "location", "geography", "geo", "orte", "lieux", "lugares", "luoghi"}
"""What keywords that stand above each other begin with if they are places."""
BEHIND = "what lies behind the picture (video, depth, gain map, more XMP) and pointers to it"
# Companions of the picture: videos, depth, gain maps, second lenses, and how they lie behind it in the old file.
COMPANION_NAMESPACES = re.compile(
    r"http://ns\.[a-z]+\.com/photos/(dd/)?1\.0/(?!panorama/)|hdr-gain-map|HDRGainMap|HDRToneMap|ns\.apple\.com/"
    r"(depthData|pixeldatainfo|adjustment-settings|ImageIO)|ns\.samsung\.com|/depthmap|/xmp/note/"
)
COMPANION_PARTS = ("motionphoto", "microvideo", "depthmap", "gainmap", "extendedxmp", "hdrgm")
PREVIEW_PARTS = ("thumbnail", "previewimage", "xmpgimg")
REGION_NAMES = {"regions", "regioninfo", "imageregion"}
HISTORY_NAMES = {
    *("history", "documentancestors", "ingredients", "pantry", "versions", "instanceid", "textlayers", "derivedfrom"),
    *("renditionof", "managedfrom", "provenance"),
}
HASH_ENDS = ("digest", "hash", "md5", "checksum")
# Of the old file's pixels: their order, size and coding, which the new file says itself.
FILE_NAMES = re.compile(
    r"\{http://ns\.adobe\.com/tiff/1\.0/\}(Orientation|ImageWidth|ImageLength|BitsPerSample|Compression|SamplesPerPixel"
    r"|PhotometricInterpretation|PlanarConfiguration|YCbCr\w+)$"
    r"|\{http://ns\.adobe\.com/exif/1\.0/\}(PixelXDimension|PixelYDimension|CompressedBitsPerPixel)$"
    r"|\{http://purl\.org/dc/elements/1\.1/\}format$"
)


def _parts(name: str) -> tuple[str, str]:
    """Namespace and local name, this in lower case."""
    space, _, local = name[:LARGEST_NAME].rpartition("}")
    return space[1:], local.lower()


def tells_place(name: str) -> bool:
    """Whether a property says where a photo was taken."""
    space, local = _parts(name)
    return local in PLACE_NAMES or any(p in local for p in PLACE_PARTS) or bool(PLACE_NAMESPACE.search(space))


def keyword_tells_place(keyword: str, names: set[str]) -> bool:
    """Whether a keyword, or one such as "Places|Germany|Hamburg", is among the lower-case `names` of the place, or says
    itself that it is one, such as "geo:lat=53.5"."""
    levels = [level.strip() for level in keyword.lower().replace("/", "|").split("|")]
    nested = len(levels) > 1 and levels[0] in PLACE_ROOTS
    return nested or levels[0].startswith(("geo:", "geotagged")) or not names.isdisjoint(levels)


def outdated(name: str) -> str | None:
    """What a property is that describes the picture before its edit; "" if that is no news; None: none such."""
    space, local = _parts(name)
    if FILE_NAMES.match(name[:LARGEST_NAME]):
        return ""
    if COMPANION_NAMESPACES.search(space) or any(p in local for p in COMPANION_PARTS):
        return BEHIND
    if any(p in local for p in PREVIEW_PARTS):
        return "a thumbnail"
    if local in REGION_NAMES:
        return "where faces and things were"
    if local in HISTORY_NAMES:
        return "the history of earlier edits"
    if local.endswith(HASH_ENDS):
        return "checksums"
    return None
