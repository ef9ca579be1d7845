"""A white page of text and pictures: strips that lie below each other."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAGE_WIDTH, EDGE, SPACE = 1320, 40, 20  # pixels of a strip, around them, and between what stands side by side
TALLEST_TILE, TITLE_HEIGHT = 427, 28  # pixels
TEXT_SIZE, HEADING_SIZE, LEADING = 19, 26, 1.35  # pixels, and the height of a line in sizes of its text
WHITE, INK, DIM = "white", "#202124", "#5f6368"


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that comes with Pillow, so that a page looks the same everywhere."""
    return ImageFont.load_default(size)


def paragraph(words: str, size: int = TEXT_SIZE, width: int = PAGE_WIDTH) -> Image.Image:
    """Text in lines of so many pixels."""
    lines, face = [""], font(size)
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if face.getlength(longer) <= width else [*lines, word]
    image = Image.new("RGB", (width, round(LEADING * size * len(lines))), WHITE)
    for k, line in enumerate(lines):
        ImageDraw.Draw(image).text((0, round(LEADING * size * k)), line, INK, face)
    return image


def heading(words: str) -> Image.Image:
    """The heading of what follows, farther from what stands above."""
    text = paragraph(words, HEADING_SIZE)
    image = Image.new("RGB", (text.width, text.height + SPACE), WHITE)
    image.paste(text, (0, SPACE))
    return image


def tiles(pictures: Sequence[tuple[str, np.ndarray]]) -> Image.Image:
    """Pictures (H, W, 3) of one size side by side, each under its title."""
    height, width = pictures[0][1].shape[:2]
    most = (PAGE_WIDTH - SPACE * (len(pictures) - 1)) / len(pictures)
    factor = min(most / width, TALLEST_TILE / height)
    size = int(width * factor), int(height * factor)
    row = []
    for title, picture in pictures:
        tile = Image.new("RGB", (size[0], size[1] + TITLE_HEIGHT), WHITE)
        ImageDraw.Draw(tile).text((0, 0), title, INK, font(TEXT_SIZE))
        tile.paste(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC), (0, TITLE_HEIGHT))
        row.append(tile)
    return beside(row)


def beside(images: Sequence[Image.Image]) -> Image.Image:
    """Pictures side by side, from the left."""
    width = sum(image.width for image in images) + SPACE * (len(images) - 1)
    strip = Image.new("RGB", (width, max(image.height for image in images)), WHITE)
    x = 0
    for image in images:
        strip.paste(image, (x, 0))
        x += image.width + SPACE
    return strip


def page(strips: Sequence[Image.Image]) -> Image.Image:
    """Strips below each other, with white around them."""
    height = sum(strip.height + SPACE for strip in strips) - SPACE
    whole = Image.new("RGB", (PAGE_WIDTH + 2 * EDGE, height + 2 * EDGE), WHITE)
    y = EDGE
    for strip in strips:
        whole.paste(strip, (EDGE, y))
        y += strip.height + SPACE
    return whole
