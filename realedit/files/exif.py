"""Camera data: what of it a result keeps."""

from PIL import Image, ImageOps

ORIENTATION, DESCRIPTION = 0x0112, 0x010E
EXIF_PART, PLACE_PART = 0x8769, 0x8825
WIDTH, HEIGHT = 0xA002, 0xA003
FOCAL_IN_35MM, LONG_SIDE_35MM = 0xA405, 36.0  # millimetres
# What a TIFF says of its own pixels and of the thumbnails and blocks beside them, rather than of the photo.
FILE_TAGS = (
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 297, 317, 320, 322, 323, 324, 325, 330),
    *(338, 339, 347, 513, 514, 530, 532, 700, 33723, 34377, 34675),
)


def upright(image: Image.Image) -> tuple[Image.Image, bytes]:
    """The picture as it is meant to be seen, and its camera data without the rotation and the
    thumbnail, which would still show the photo before the edit."""
    try:
        turned, exif = ImageOps.exif_transpose(image), image.getexif()
        for tag in (ORIENTATION, *FILE_TAGS):
            exif.pop(tag, None)
        exif.get_ifd(PLACE_PART)  # parts that were never read would be written as they lay in the old file
        details = exif.get_ifd(EXIF_PART)
        if WIDTH in details and HEIGHT in details:
            details[WIDTH], details[HEIGHT] = turned.size
        return turned, exif.tobytes() if len(exif) else b""
    except Exception:  # broken camera data must not cost the user the photo; any error can come of it
        return image, b""


def without_place(exif: bytes) -> bytes:
    """Camera data that does not say where the photo was taken."""
    values = parsed(exif)
    values.pop(PLACE_PART, None)
    return values.tobytes() if len(values) else b""


def described(text: str) -> bytes:
    """Camera data that hold nothing but a caption."""
    values = Image.Exif()
    values[DESCRIPTION] = text
    return values.tobytes()


def parsed(exif: bytes) -> Image.Exif:
    values = Image.Exif()
    if exif:
        values.load(exif)
        values.get_ifd(EXIF_PART)
        values.get_ifd(PLACE_PART)
    return values


def description(image: Image.Image) -> str | None:
    """The caption that a file carries, in a PNG text or the camera data."""
    try:
        text = image.info.get("Description") or image.getexif().get(DESCRIPTION)
    except Exception:  # as above
        return None
    return text.strip() if isinstance(text, str) and text.strip() else None


def focal_length(exif: bytes, size: tuple[int, int]) -> float | None:
    """The focal length in shorter sides of a photo of `size`, if the camera says what it is like on 35 mm film."""
    try:
        millimetres = float(parsed(exif).get_ifd(EXIF_PART).get(FOCAL_IN_35MM, 0))
    except Exception:  # broken camera data must not cost the user the photo; any error can come of it
        return None
    return millimetres / LONG_SIDE_35MM * max(size) / min(size) if 5 <= millimetres <= 2000 else None
