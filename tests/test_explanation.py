"""The picture that explains a run: its lines lie where the numbers say, and its maps where attention is."""

import numpy as np
import pytest

from realedit.evaluation.explanation import AttentionMaps, GuidedRun, draw_explanation, heat
from realedit.evaluation.line_chart import Axes, Line, Scale, line_chart
from realedit.evaluation.page import PAGE_WIDTH, paragraph

RED = (217, 48, 37)


def run(**changes) -> GuidedRun:
    terms = {0: {"centroid": 0.4, "size": 0.1}, 2: {"centroid": 0.05, "size": 0.0}}
    grey = np.full((20, 30, 3), 128, np.uint8)
    spot = np.zeros((4, 6), np.float32)
    spot[1, 2] = 1
    values = {
        "steps": 4,
        "terms": terms,
        "sums": {0: 0.5, 2: 0.05},
        "features": {},
        "goal": 0.02,
        "strengths": {0: 0.1, 2: 0.14},
        "attention": [AttentionMaps('"ball"', spot, spot, spot)],
        "photo": grey,
        "predicted": {0: grey, 3: grey},
    }
    return GuidedRun(**(values | changes))


def test_a_scale_by_hand():
    assert Scale(0.0, 0.5).height_of(0.1) == pytest.approx(0.2)
    assert Scale(0.01, 1.0, logarithmic=True).height_of(0.1) == pytest.approx(0.5)
    assert Scale(0.01, 1.0, logarithmic=True).height_of(0.0) == 0, "what is below lies at the bottom"
    assert Scale.decades([0.0, 0.03, 0.55], 0.001) == Scale(0.01, 1.0, logarithmic=True)
    assert Scale.decades([0.0], 0.001) == Scale(0.001, 0.01, logarithmic=True)
    assert Scale(0.0, 0.5).ticks() == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert Scale(0.0, 0.2).ticks() == [0, 0.05, 0.1, 0.15, 0.2]
    assert Scale(0.1, 1.0, logarithmic=True).ticks() == [0.1, 0.2, 0.5, 1]


def test_a_line_goes_through_its_values():
    axes = Axes((600, 300), 11, Scale(0.0, 1.0))
    left, right, low, high = axes.at(0, 0), axes.at(10, 0), axes.at(5, 0)[1], axes.at(5, 1)[1]
    assert axes.at(5, 0.25) == ((left[0] + right[0]) / 2, low - 0.25 * (low - high))
    pixels = np.asarray(line_chart(axes, [Line("it", {0: 0.2, 10: 0.8}, "#d93025", 5)]))
    for step, value in ((0, 0.2), (5, 0.5), (10, 0.8)):
        x, y = (round(c) for c in axes.at(step, value))
        assert np.abs(pixels[y, x].astype(int) - RED).max() < 20
    x, y = (round(c) for c in axes.at(5, 0.65))
    assert pixels[y, x].min() == 255


def test_every_term_and_their_sum_are_lines():
    lines = {line.name: line.values for line in run(features={0: 5.0, 2: 4.0}).lines()}
    assert lines == {
        "features": {0: 5.0, 2: 4.0},
        "centroid": {0: 0.4, 2: 0.05},
        "size": {0: 0.1, 2: 0.0},
        "sum": {0: 0.5, 2: 0.05},
    }
    assert len({line.colour for line in run(features={0: 5.0}).lines()}) == 4


def test_a_row_for_each_object_and_none_without():
    one, two, none = (draw_explanation(run(attention=run().attention * k)) for k in (1, 2, 0))
    assert one.width == two.width == none.width > PAGE_WIDTH
    assert two.height - one.height == one.height - none.height > 300
    assert (np.asarray(one)[[0, -1]] == 255).all()


def test_heat_lies_where_attention_is():
    photo = np.full((20, 30, 3), 128, np.uint8)
    drawn = heat(photo, run().attention[0].before).astype(int)
    lit = np.ptp(drawn, axis=-1)
    y, x = np.unravel_index(lit.argmax(), lit.shape)
    assert (y, x) == (pytest.approx(7.5, abs=3), pytest.approx(12.5, abs=3))
    assert lit[:, -5:].max() == 0, "grey where there is none"


def test_a_run_that_asked_for_nothing_is_drawn_too():
    still = {0: 0.0}
    draw_explanation(run(terms={0: {}}, sums=still, strengths=still, attention=[]))


def test_long_text_is_broken_into_lines():
    one, many = paragraph("word"), paragraph("word " * 100)
    assert one.width == many.width == PAGE_WIDTH
    assert many.height > 3 * one.height
