"""Lines over steps, drawn with numbered axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from realedit.evaluation.page import DIM, INK, WHITE, font

Position = tuple[float, float]
FINER = 2  # times as large as wanted is a chart drawn, then reduced: that makes lines smooth
LEFT, RIGHT, TOP, BOTTOM = 76, 90, 14, 60  # pixels around the axes, for their numbers and names
NUMBER_SIZE = 16
GRID = "#e3e5e8"


@dataclass(frozen=True)
class Line:
    """Values by step in one colour; `width` in pixels."""

    name: str
    values: dict[int, float]
    colour: str
    width: int = 3


@dataclass(frozen=True)
class Scale:
    """The values between `low` and `high` as fractions of a height; in equal factors if `logarithmic`, `low` > 0."""

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def decades(cls, values: Sequence[float], least: float) -> "Scale":
        """Logarithmic, for values >= 0, of which those below `least` are drawn at the bottom."""
        shown = [math.log10(max(value, least)) for value in values if value > 0] or [math.log10(least)]
        low = math.floor(min(shown) + 1e-9)
        return cls(10.0**low, 10.0 ** max(low + 1, math.ceil(max(shown) - 1e-9)), logarithmic=True)

    def height_of(self, value: float) -> float:
        """0 at the bottom, 1 at the top."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round numbers from bottom to top."""
        if self.logarithmic:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            factors = (1, 2, 5) if last - first <= 4 else (1,)
            found = [f * 10.0**k for k in range(first, last) for f in factors]
            return [float(f"{tick:.0e}") for tick in (*found, 10.0**last)]
        parts = 4 if f"{self.high - self.low:e}"[0] == "2" else 5
        return [round(self.low + k * (self.high - self.low) / parts, 6) for k in range(parts + 1)]


@dataclass(frozen=True)
class Axes:
    """A chart of so many pixels, `size` (width, height), over the steps 1 to `steps`."""

    size: tuple[int, int]
    steps: int
    scale: Scale

    def at(self, step: int, value: float) -> Position:
        """The pixel (x, y) of a value; steps count from 0 here."""
        across = self.size[0] - LEFT - RIGHT
        down = self.size[1] - TOP - BOTTOM
        return LEFT + across * step / max(1, self.steps - 1), TOP + down * (1 - self.scale.height_of(value))


def line_chart(axes: Axes, lines: Sequence[Line], goal: float | None = None) -> Image.Image:
    """Lines with a dot at each value, the last on top, and a dashed line at the `goal`."""
    width, height = axes.size
    image = Image.new("RGB", (width * FINER, height * FINER), WHITE)
    draw = ImageDraw.Draw(image)
    _draw_grid(draw, axes)
    if goal is not None:
        _draw_goal(draw, axes, goal)
    for line in lines:
        points = [_finer(axes.at(step, value)) for step, value in sorted(line.values.items())]
        draw.line(points, line.colour, line.width * FINER, joint="curve")
        for x, y in points:
            radius = (line.width + 1) * FINER * 0.8
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), line.colour)
    return image.reduce(FINER)


def _finer(point: Position) -> Position:
    return point[0] * FINER, point[1] * FINER


def _draw_grid(draw: ImageDraw.ImageDraw, axes: Axes) -> None:
    numbers, last = font(NUMBER_SIZE * FINER), axes.steps - 1
    for tick in axes.scale.ticks():
        left, right = _finer(axes.at(0, tick)), _finer(axes.at(last, tick))
        draw.line((left, right), GRID, FINER)
        draw.text((left[0] - 12 * FINER, left[1]), f"{tick:g}", INK, numbers, anchor="rm")
    every = max(1, -(-axes.steps // 25))
    for step in range(0, axes.steps, every):
        x, y = _finer(axes.at(step, axes.scale.low))
        draw.line((x, y, x, y + 5 * FINER), DIM, FINER)
        draw.text((x, y + 9 * FINER), str(step + 1), INK, numbers, anchor="ma")
    draw.line((_finer(axes.at(0, axes.scale.low)), _finer(axes.at(last, axes.scale.low))), DIM, FINER)
    middle = (_finer(axes.at(0, 0))[0] + _finer(axes.at(last, 0))[0]) / 2
    draw.text((middle, (axes.size[1] - 4) * FINER), "step", DIM, numbers, anchor="md")


def _draw_goal(draw: ImageDraw.ImageDraw, axes: Axes, goal: float) -> None:
    (left, y), (right, _) = _finer(axes.at(0, goal)), _finer(axes.at(axes.steps - 1, goal))
    dash = 10 * FINER
    for x in np.arange(left, right, dash * 1.6):
        draw.line((x, y, min(x + dash, right), y), INK, 2 * FINER)
    draw.text((right + 10 * FINER, y), f"goal {goal:g}", INK, font(NUMBER_SIZE * FINER), anchor="lm")
