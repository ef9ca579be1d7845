"""A guided run of the sampler explained in one picture: what was still wrong at each step, where the model saw the
objects, and what it took the picture to be on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from realedit.evaluation.line_chart import Axes, Line, Scale, line_chart
from realedit.evaluation.page import (
    DIM,
    INK,
    PAGE_WIDTH,
    SPACE,
    WHITE,
    beside,
    font,
    heading,
    page,
    paragraph,
    tiles,
)

LEGEND = 470  # pixels of the width of what stands beside a chart
CHART_HEIGHT = 480
CHART = PAGE_WIDTH - LEGEND - SPACE
TITLE_SIZE = 34
LEAST_ENERGY = 0.001  # what is below is drawn at the bottom
SUM, FEATURES = "sum", "features"
MEANINGS = {
    SUM: "all but the features; should reach the goal",
    "shape": "outline of what is edited",
    "centroid": "position of what is edited",
    "size": "size of what is edited",
    "appearance": "look of what is edited",
    "others": "outlines of what else is there",
    "ghost": "what is left at the old place",
    "presence": "how surely it is seen",
    "colour": "colour that is asked for",
    FEATURES: "look of every part; has no goal",
}
COLOURS = {
    "shape": "#1a73e8",
    "centroid": "#d93025",
    "size": "#188038",
    "appearance": "#e8710a",
    "others": "#9334e6",
    "ghost": "#12a4af",
    "presence": "#b06000",
    "colour": "#e52592",
    FEATURES: "#9aa0a6",
}


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Where the words `name` are attended to, (h, w) in [0, 1]: `before`, as was `wanted`, and `after`."""

    name: str
    before: np.ndarray
    wanted: np.ndarray
    after: np.ndarray


@dataclass(frozen=True, eq=False)
class GuidedRun:
    """A run of so many `steps`, which count from 0; pictures are (H, W, 3) uint8.

    `terms` are the weighted energies by name at each step at which they were measured, `sums` their sums, which should
    have come down to the `goal`; `features`, if any, act beside them without a goal. `strengths`: the length of the
    shift in units of the predicted noise. `predicted`: by step, what it took the picture to be, of the `photo` before.
    """

    steps: int
    terms: Mapping[int, Mapping[str, float]]
    sums: Mapping[int, float]
    features: Mapping[int, float]
    goal: float
    strengths: Mapping[int, float]
    attention: Sequence[AttentionMaps]
    photo: np.ndarray
    predicted: Mapping[int, np.ndarray]

    def lines(self) -> list[Line]:
        """What the chart shows; the sum comes last, so that it lies on top."""
        names = dict.fromkeys(name for terms in self.terms.values() for name in terms)
        found = [Line(FEATURES, dict(self.features), COLOURS[FEATURES], 2)] if self.features else []
        for name in names:
            values = {step: terms[name] for step, terms in self.terms.items() if name in terms}
            found.append(Line(name, values, COLOURS.get(name, DIM)))
        return [*found, Line(SUM, dict(self.sums), INK, 5)]


def draw_explanation(run: GuidedRun) -> Image.Image:
    """The whole picture, from top to bottom."""
    first, last = min(run.sums) + 1, max(run.sums) + 1
    strips = [
        paragraph("How this edit came about", TITLE_SIZE),
        paragraph(
            f"A picture is made out of noise in {run.steps} steps. From step {first} to step {last} it was measured "
            "how far it was from what was asked (the energies), and it was pushed to where that is less (the guidance)."
        ),
        heading("What the model expected the picture to become"),
        _predictions(run),
    ]
    for each in run.attention:
        strips += [heading(f"Where the model sees {each.name}: its attention, bright where it is most")]
        strips += [_attention(run, each, last)]
    strips += [
        heading("How far the picture was from what was asked: the energies"),
        paragraph(
            "The lower, the nearer; a line of the grid is about twice the one below. "
            f"At the bottom lies what is {LEAST_ENERGY:g} or less."
        ),
        _energies(run),
        heading("How hard it was pushed: the strength of the guidance"),
        _strengths(run),
    ]
    return page(strips)


def _energies(run: GuidedRun) -> Image.Image:
    lines = run.lines()
    scale = Scale.decades([run.goal, *(v for line in lines for v in line.values.values())], LEAST_ENERGY)
    axes = Axes((CHART, CHART_HEIGHT), run.steps, scale)
    return beside([line_chart(axes, lines, run.goal), _legend(lines)])


def _legend(lines: Sequence[Line]) -> Image.Image:
    """Of every line its name, what it measures, and its first and last values; the highest first, as in the chart."""
    ordered = sorted(lines, key=lambda line: line.values[max(line.values)], reverse=True)
    image = Image.new("RGB", (LEGEND, CHART_HEIGHT), WHITE)
    draw = ImageDraw.Draw(image)
    for across, title in ((LEGEND - 110, "first"), (LEGEND, "last")):
        draw.text((across, 0), title, DIM, font(18), anchor="ra")
    for k, line in enumerate(ordered):
        y = 26 + k * 54
        draw.line((0, y + 12, 34, y + 12), line.colour, line.width)
        draw.text((48, y), line.name, INK, font(20))
        draw.text((48, y + 24), MEANINGS.get(line.name, ""), DIM, font(17))
        for across, step in ((LEGEND - 110, min(line.values)), (LEGEND, max(line.values))):
            draw.text((across, y), f"{line.values[step]:.2g}", INK, font(20), anchor="ra")
    return image


def _strengths(run: GuidedRun) -> Image.Image:
    most = max(run.strengths.values())
    top = next((top for top in (0.1, 0.2, 0.5, 1.0, 2.0) if top >= most), 5.0)
    axes = Axes((CHART, 220), run.steps, Scale(0.0, top))
    said = (
        "The length of the push, as a share of the noise that the model saw. It grows while the sum falls too slowly."
    )
    return beside([line_chart(axes, [Line("strength", dict(run.strengths), INK)]), paragraph(said, width=LEGEND)])


def _attention(run: GuidedRun, maps: AttentionMaps, last: int) -> Image.Image:
    after = run.predicted[max(run.predicted)]
    return tiles(
        [
            ("before: in the photo", heat(run.photo, maps.before)),
            ("wanted: where it was asked to be", heat(run.photo, maps.wanted)),
            (f"after: at step {last}, over what came of it", heat(after, maps.after)),
        ]
    )


def _predictions(run: GuidedRun) -> Image.Image:
    return tiles(
        [
            ("the photo", run.photo),
            *((f"step {step + 1}", picture) for step, picture in sorted(run.predicted.items())),
        ]
    )


def heat(photo: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """A map (h, w) in [0, 1] as heat over a photo (H, W, 3), which is dimmed to grey where there is none."""
    size = (photo.shape[1], photo.shape[0])
    there = np.clip(cv2.resize(attention.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((there * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = photo.mean(-1, keepdims=True) * 0.8
    share = 0.85 * there[..., None] ** 0.7
    return (grey * (1 - share) + colours * share).round().astype(np.uint8)
