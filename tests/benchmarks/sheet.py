"""Contact sheets: every contestant's picture of some cases, side by side, for the eye."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from realedit.images import to_bytes

CELL, HEAD = 144, 16  # pixels


def contact_sheet(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Tensor]]], path: Path) -> None:
    """Write a picture of `rows`, each a name and one photo (1, 3, H, W) for every column."""
    sheet = Image.new("RGB", (CELL * len(columns), HEAD + (CELL + HEAD) * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        draw.text((x * CELL + 3, 2), name, fill="black")
    for y, (name, photos) in enumerate(rows):
        top = HEAD + y * (CELL + HEAD)
        draw.text((3, top + 2), name, fill="black")
        for x, photo in enumerate(photos):
            sheet.paste(_fitted(to_bytes(photo)), (x * CELL, top + HEAD))
    sheet.save(path)


def _fitted(rgb: np.ndarray) -> Image.Image:
    image = Image.fromarray(rgb)
    scale = (CELL - 2) / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
