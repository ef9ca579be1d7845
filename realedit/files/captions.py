"""Texts that lie with a photo, beside it or in its metadata: which of them are captions. Found by chance, they may be a
camera's own words or what a program wrote for itself. No torch."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from realedit.files.access import decoded, is_file, read_file

LARGEST_CAPTION_FILE = 64_000  # bytes
LONGEST_CAPTION = 2000  # characters, several times what text encoders read
MOST_CAPTION_LINES = 20  # lines; a log or an essay has more
FROM_OPTION, FROM_RECIPE, FROM_SIDECAR = "--prompt", "the recipe", "the sidecar"
FROM_FILE, FROM_METADATA = "the text file beside the photo", "the photo's metadata"
MADE_UP = "made up from the object's name"


@dataclass(frozen=True)
class Prompt:
    """What a photo shows, and where that was said (`source`)."""

    text: str
    source: str


# What makers of cameras and programs write where a person could say something: no caption holds only such words.
BOILERPLATE = frozenset(
    "olympus sony minolta konica konicaminolta dsc dcf dcim dig digimax kenox cyber samsung samsungtechwin kodak canon "
    "nikon fujifilm fuji pentax ricoh casio panasonic lumix leica hp hewlett packard photosmart sanyo toshiba "
    "vivitar polaroid epson seiko jenoptik medion aiptek benq agfa agfaphoto rollei iphone ipad huawei "
    "xiaomi redmi oppo vivo oneplus nokia motorola htc lg google pixel gopro dji powershot ixus coolpix "
    "easyshare finepix exilim optio cybershot ltd inc corp corporation co company gmbh technologies "
    "digital still camera cam photo photograph picture image images jpeg jpg jfif tiff png webp exif gif tif default "
    "created edited made written saved exported generated processed produced converted scanned captured taken shot "
    "with by using in from on the of file software version ver v beta "
    "gimp gnu adobe photoshop lightroom elements paint net picasa snapseed vsco vscocam instagram irfanview acdsee "
    "imagemagick libjpeg ffmpeg lavc ijg gd quality lead intel library applemark exif_jpeg_picture jpeg_picture "
    "screenshot scan scanner untitled unnamed none null n a na no unknown empty undefined title caption description "
    "comment comments image_description ascii unicode charset binary "
    "oznor cof sdr dav hdr hdrpl ptr ptfbty ptfbsh ptrbsh rptnbsh edf mde nor dualcam"
    "".split()
)
# Whole texts: names that cameras give files, dates, addresses, and names of markup in brackets.
NO_CAPTION = re.compile(
    r"(?:<[^<>]*>|\S+\.\w{2,4}|(?:img|dsc\w?|dscn|pict|p|mvi|pxl|mvimg|gopr|cimg|sam|wp|fb_img)[_-]?\d[\w-]*"
    r"|(?:https?://|www\.)\S+|[\d:./\- T+Z]+|\{?[0-9a-f]{8}[0-9a-f-]{8,}\}?)",
    re.IGNORECASE,
)
PARAMETERS = re.compile(r"^(?:Negative prompt:|Steps: \d+,)", re.MULTILINE)
"""Where the settings begin that image generators write below a prompt."""
KEY_AND_VALUE = re.compile(r'\s*"?[\w. -]{1,40}"?\s*[:=]\s*\S')
NETWORKS = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>")  # what image generators load by words of the prompt
FILE_NAME = re.compile(r"[^\s,;]+\.(?:jpe?g|png|webp|tiff?|heic|gif|bmp|json|txt|csv|xml)\b", re.IGNORECASE)
FIRST_CJK = 0x2E80  # code point from which on one sign may be a word
SEPARATORS = ",;\t|"


def caption_beside(path: Path) -> str | None:
    """The caption in the text file beside a photo; None if there is no such file, or what it holds is none."""
    beside = path.with_suffix(".txt")
    if not is_file(beside):
        return None
    try:
        return caption_of(read_file(beside, LARGEST_CAPTION_FILE))
    except OSError:
        return None


def caption_of(data: bytes) -> str | None:
    """The caption that the bytes of a text file are; None if a machine wrote them for another."""
    try:
        text = decoded(data)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # what editors wrote before UTF-8; binary data betray themselves below
    return _written_by_people(text)


def described_caption(text: str | None) -> str | None:
    """The caption that a description in a photo's metadata is; None if a camera or a program put it there."""
    caption = _written_by_people(text or "")
    if caption is None or NO_CAPTION.fullmatch(caption):
        return None
    words = re.findall(r"[^\W\d]+", re.sub(r"\b\w*\d\w*\b", " ", caption.casefold()))
    return caption if any(word not in BOILERPLATE for word in words) else None


def _written_by_people(text: str) -> str | None:
    """A text without padding and without the settings of an image generator; None unless it reads as a caption: short,
    more words than numbers, no markup, no table."""
    text = NETWORKS.sub("", PARAMETERS.split(text.strip("\0 \t\r\n\ufeff"))[0]).strip()
    if not 0 < len(text) <= LONGEST_CAPTION or any(_is_binary(c) for c in text):
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_CAPTION_LINES or text[0] in "<{[" or _is_table(lines):
        return None
    told = FILE_NAME.sub(" 0 ", text)
    numbers = sum(any(c.isdigit() for c in word) for word in re.findall(r"[^\s,;]+", told))
    words = [word for word in re.findall(r"\w+", told) if not any(c.isdigit() for c in word)]
    spoken = sum(len(word) > 1 or ord(word) >= FIRST_CJK for word in words)
    return text if spoken >= max(1, numbers) else None


def _is_binary(c: str) -> bool:
    return c == "\ufffd" or (unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co") and c not in "\t\r\n\v\f\x85")


def _is_table(lines: list[str]) -> bool:
    """Whether lines hold values of the same keys or columns."""
    if len(lines) < 2:
        return False
    if all(KEY_AND_VALUE.match(line) for line in lines):
        return True
    if any(FILE_NAME.search(line) for line in lines):
        return True
    counts = [{line.count(mark) for line in lines} for mark in SEPARATORS]
    return any(len(count) == 1 and min(count) >= (2 if len(lines) < 3 else 1) for count in counts)
