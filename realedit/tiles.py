"""Several pictures in one: labelled tiles in rows."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

TILE, COLUMNS, GAP = 256, 5, 4  # pixels of a tile's longer side, tiles in a row, pixels between them


def contact_sheet(pictures: Sequence[tuple[str, np.ndarray]]) -> Image.Image:
    """Labelled pictures (H, W, 3) of one size, in rows from the left."""
    tiles = [_tile(Image.fromarray(rgb), label) for label, rgb in pictures]
    width, height = tiles[0].size
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP), "white")
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * (width + GAP), index // columns * (height + GAP)))
    return sheet


def _tile(image: Image.Image, label: str) -> Image.Image:
    factor = TILE / max(image.size)
    image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 8 + 6 * len(label), 16), fill="black")
    draw.text((4, 2), label, fill="white")
    return image
