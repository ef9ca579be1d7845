"""Read one photo from a file as it comes from a camera, a phone or a shop."""

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image, JpegImagePlugin

from inversion.errors import PhotoError, RealEditError, first_line
from inversion.main_memory import require
from realedit.files import metadata
from realedit.files.access import read_at_most, read_file, shown_name
from realedit.files.kinds import PIPE, RAW
from realedit.files.photo import JpegCoding, Origin, Photo
from realedit.files.pixels import OTHER_COLOURS, orientation, pixels, upright_size
from realedit.files.png import chunks
from realedit.files.signal_coding import SignalCoding
from realedit.settings import MIN_SIDE

# What is tried on a file. Not everything that Pillow knows: some of its readers start other programs.
READ_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "JPEG2000")
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"}
READING_BYTES = 14  # of memory for each pixel while a file is read: decoded, turned, and made RGB
CREDENTIALS = b"c2pa"
LARGEST_PROFILE = 4_000_000  # bytes; those of printers have up to three million
CODE_POINTS = b"colrnclx"  # before those of AVIF and HEIC, two bytes each


@dataclass(frozen=True, eq=False)
class PhotoFile:
    """The bytes of a photo's file, and what it says of it: the (width, height) of the upright photo, Pillow's name of
    the `format`, and the caption. `name` is for messages, the `suffix` tells camera raw files."""

    name: str
    data: bytes
    suffix: str
    size: tuple[int, int]
    format: str | None
    description: str | None

    @classmethod
    def open(cls, path: Path | str) -> "PhotoFile":
        """Read a file and its header; "-" is standard input.

        Raises:
            PhotoError: it is missing, a folder, no photo, or smaller than 64 pixels.
        """
        path = Path(path)
        data, name, suffix = _bytes_of(path)
        if suffix in RAW:  # whose header only its decoder reads
            photo = decode(data, name, suffix)
            return cls(name, data, suffix, photo.size, photo.origin.format, None)
        with _said_of(name, data), _opened(data) as image:
            size = upright_size(image)
            found = cls(name, data, suffix, size, _format(image), metadata.description(image, data))
        _check_size(name, size)
        return found

    @cached_property
    def photo(self) -> Photo:
        """The photo, decoded when it is first asked for.

        Raises:
            PhotoError: as for `load_photo`.
        """
        return decode(self.data, self.name, self.suffix)


def load_photo(path: Path | str) -> Photo:
    """Read one still picture of any common format, upright and in its own colours and depth; "-" is standard input.

    Raises:
        PhotoError: it is missing, a folder, damaged, animated, too large, or smaller than 64 pixels.
    """
    return decode(*_bytes_of(Path(path)))


def _bytes_of(path: Path) -> tuple[bytes, str, str]:
    """The bytes of a file, its name for messages, and the end of its name."""
    name = "standard input" if path == PIPE else shown_name(path)
    try:
        if path == PIPE:
            return (read_at_most(sys.stdin.buffer) if sys.stdin else b""), name, ""
        return read_file(path), name, path.suffix.lower()
    except FileNotFoundError:
        raise PhotoError(f"{name} does not exist") from None
    except IsADirectoryError:
        raise PhotoError(f"{name} is a folder; give one photo") from None
    except OSError as error:
        raise PhotoError(f"{name} cannot be read: {error.strerror}") from error


def decode(data: bytes, name: str, suffix: str = "") -> Photo:
    """Read the bytes of a file; `name` is for messages, the `suffix` tells camera raw files.

    Raises:
        PhotoError: as for `load_photo`.
    """
    with _said_of(name, data):
        photo = _from_raw(data) if suffix in RAW else _from_picture(data)
    _check_size(name, photo.size)
    return photo


@contextlib.contextmanager
def _said_of(name: str, data: bytes) -> Iterator[None]:
    """What goes wrong inside, as a `PhotoError` that says of which file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except RealEditError as error:
        raise PhotoError(f"{name} cannot be used: {error}") from error
    except Image.DecompressionBombError:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise PhotoError(f"{name} has more than {most} million pixels; make it smaller first") from None
    except Exception as error:  # a broken file can fail anywhere in a decoder
        reason = "it is empty" if not data else _reason(error)
        raise PhotoError(f"{name} cannot be read as a photo: {reason}") from error


def _check_size(name: str, size: tuple[int, int]) -> None:
    if min(size) < MIN_SIDE:
        raise PhotoError(f"{name} is {size[0]}x{size[1]} pixels; both sides must be at least {MIN_SIDE}")


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "it is in none of the formats JPEG, PNG, WebP, AVIF, TIFF, HEIC or camera raw"
    return first_line(error)


def _from_picture(data: bytes) -> Photo:
    notes = []
    with _opened(data) as image:
        frames = getattr(image, "n_frames", 1)
        if image.format == "MPO":
            notes.append("the file holds more than one picture (such as depth or a gain map); the first is taken")
        elif frames > 1:
            raise PhotoError(f"it holds {frames} frames; export one of them as a still picture")
        require(image.width * image.height * READING_BYTES, "a smaller photo is needed")
        turned = orientation(image) if image.format == "TIFF" else None  # before Pillow turns it
        image.load()  # first of all: to look for camera data behind the pixels Pillow would load them, errors or not
        said, left_out = metadata.read(image, data, upright_size(image))
        rgb, alpha = pixels(image, data)
        if CREDENTIALS in data and b"jumb" in data:
            notes.append("its content credentials do not hold for an edited picture and are left out")
        profile, coding = image.info.get("icc_profile") or None, _coding(image, data)
        if image.mode in OTHER_COLOURS:
            notes.append(f"the photo was {image.mode}, the result is RGB")
            profile = None
        if profile and len(profile) > LARGEST_PROFILE:
            notes.append("its colour profile is too large and is left out; it is taken for sRGB")
            profile = None
        origin = replace(_origin(image), orientation=turned or orientation(image), coding=coding)
    return Photo(rgb, alpha, profile, said, said.description, origin, (*notes, *left_out))


def _opened(data: bytes) -> Image.Image:
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        pillow_heif = _needed("pillow_heif", "heif", "HEIC photos")
        file = pillow_heif.open_heif(io.BytesIO(data))
        if file.size[0] * file.size[1] > 2 * (Image.MAX_IMAGE_PIXELS or sys.maxsize):  # as Pillow asks of other formats
            raise Image.DecompressionBombError
        image = file.to_pillow()
        image.format = "HEIF"
        return image
    return Image.open(io.BytesIO(data), formats=READ_FORMATS)


def _from_raw(data: bytes) -> Photo:
    rawpy = _needed("rawpy", "raw", "camera raw files")
    with rawpy.imread(io.BytesIO(data)) as raw:
        require(raw.sizes.width * raw.sizes.height * 2 * READING_BYTES, "a smaller photo is needed")
        rgb = raw.postprocess(use_camera_wb=True, output_bps=16)
    note = "developed with the camera's white balance; its camera data are not kept"
    return Photo(rgb, origin=Origin("RAW"), notes=(note,))


def _needed(module: str, extra: str, what: str):  # type: ignore[no-untyped-def]
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise PhotoError(f'{what} need another package: pip install "realedit[{extra}]"') from error


def _origin(image: Image.Image) -> Origin:
    grey = image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
    jpeg = None
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode in ("L", "RGB"):
        sampling = JpegImagePlugin.get_sampling(image)
        progressive = bool(image.info.get("progressive"))
        jpeg = JpegCoding(dict(image.quantization), sampling, progressive)
    return Origin(_format(image), grey, _resolution(image), jpeg)


def _format(image: Image.Image) -> str | None:
    return "JPEG" if image.format == "MPO" else image.format


def _resolution(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and all(0 < d < 1e5 for d in dpi):
        return float(dpi[0]), float(dpi[1])
    return None


def _coding(image: Image.Image, data: bytes) -> SignalCoding | None:
    """The colours, if they are told by numbers and not by a profile."""
    if image.format == "PNG":
        return SignalCoding.of_png(dict(chunks(data)))
    at = data.find(CODE_POINTS) + len(CODE_POINTS)
    if image.format not in ("AVIF", "HEIF") or at < len(CODE_POINTS) or image.info.get("icc_profile"):
        return None
    return SignalCoding.of_codes(int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4]))
