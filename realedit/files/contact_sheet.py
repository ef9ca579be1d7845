"""Several pictures in one: labelled tiles in rows."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from realedit.files.photo import Photo

TILE_SIDE, SHEET_COLUMNS, TILE_GAP = 256, 5, 4  # pixels of a tile's longer side, tiles in a row, pixels between them


def contact_sheet(pictures: Sequence[tuple[str, np.ndarray]]) -> Image.Image:
    """Labelled pictures (H, W, 3) of one size, in rows from the left; labels may have several lines."""
    tiles = [_tile(Image.fromarray(rgb), label) for label, rgb in pictures]
    width, height = tiles[0].size
    columns = min(SHEET_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (width + TILE_GAP) - TILE_GAP, rows * (height + TILE_GAP) - TILE_GAP), "white")
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * (width + TILE_GAP), index // columns * (height + TILE_GAP)))
    return sheet


def _tile(image: Image.Image, label: str) -> Image.Image:
    factor = TILE_SIDE / max(image.size)
    image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    _, _, right, bottom = draw.multiline_textbbox((4, 2), label)
    draw.rectangle((0, 0, right + 4, bottom + 3), fill="black")
    draw.multiline_text((4, 2), label, fill="white")
    return image


def side_by_side(before: Photo, after: Photo, height: int = 384) -> Image.Image:
    """Before and after in one picture, each `height` pixels high, with a thin gap."""
    width = round(before.size[0] * height / before.size[1])
    sheet = Image.new("RGB", (2 * width + 6, height), "white")
    for k, (photo, label) in enumerate(((before, "before"), (after, "after"))):
        image = Image.fromarray(photo.displayed(2 * max(width, height)))
        image = image.resize((width, height), Image.Resampling.LANCZOS)
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, 0, 8 + 7 * len(label), 18), fill="black")
        draw.text((4, 3), label, fill="white")
        sheet.paste(image, (k * (width + 6), 0))
    return sheet
