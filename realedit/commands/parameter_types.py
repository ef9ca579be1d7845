"""The types of what is typed after options: numbers, as fractions of the photo or in pixels, words, and files. No
torch."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from realedit.files.access import as_text
from realedit.settings import MOST_SEED


@dataclass(frozen=True)
class Coordinates:
    """Numbers as typed: fractions of the photo, or pixels if they ended in "px"."""

    values: tuple[float, ...]
    pixels: bool

    def fractions(self, size: tuple[int, int]) -> tuple[float, ...]:
        """As fractions of a photo's (width, height), x and y in turn."""
        if not self.pixels:
            return self.values
        return tuple(v / size[i % 2] for i, v in enumerate(self.values))


class CoordinatesType(click.ParamType):
    """`count` numbers with commas between them, all fractions or all pixels ("120px,80px")."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Coordinates:
        if isinstance(value, Coordinates):
            return value
        words = [word.strip() for word in str(value).split(",")]
        in_pixels = [word.endswith("px") for word in words]
        try:
            numbers = tuple(float(word.removesuffix("px")) for word in words)
            if len(numbers) != self.count or any(n != n or abs(n) == float("inf") for n in numbers):
                raise ValueError
        except ValueError:
            self.fail(f"{value!r} is not {self.name}, such as {self._example()}", param, ctx)
        if any(in_pixels) and not all(in_pixels):
            self.fail(f"{value!r} mixes pixels and fractions; give all numbers with px or none", param, ctx)
        return Coordinates(numbers, all(in_pixels))

    def _example(self) -> str:
        return "0.7,0.6 or 84px,72px" if self.count == 2 else "0.1,0.2,0.5,0.8"


class FiniteType(click.FloatRange):
    """A number between limits, neither infinite nor not-a-number, which no limit stops."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number that can be meant", param, ctx)
        return number


class WordsType(click.ParamType):
    """Words, which reach Python as bytes that it cannot read where the locale is not UTF-8."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return as_text(str(value))
        except UnicodeError:
            self.fail(f"{value!r} is not UTF-8", param, ctx)


POINT, SHIFT, SIZE = CoordinatesType("X,Y", 2), CoordinatesType("DX,DY", 2), CoordinatesType("WIDTH,HEIGHT", 2)
BOX = CoordinatesType("LEFT,TOP,RIGHT,BOTTOM", 4)
FILE = click.Path(path_type=Path)
WORDS, NUMBER, SEED = WordsType(), FiniteType(), click.IntRange(0, MOST_SEED)
