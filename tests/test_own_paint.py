"""Recolouring without a model: colours that words name, and the paint that an object is known by."""

import cv2
import numpy as np
import pytest
import torch

from inversion.errors import EditError
from realedit.appearance.named_colours import named_colour
from realedit.appearance.own_paint import own_paint
from realedit.appearance.paint_region import painted_region

ROWS, COLUMNS = torch.meshgrid(torch.arange(60), torch.arange(80), indexing="ij")
LIGHT = (0.4 + 0.6 * COLUMNS / 80)[None, None]  # falls off to the left
RED, GLASS = (torch.tensor(c)[None, :, None, None] for c in ((0.7, 0.12, 0.1), (0.35, 0.37, 0.4)))
WINDOW = ((ROWS < 25) & (COLUMNS > 40))[None, None]
WHOLE = torch.ones(1, 1, 60, 80)


@pytest.mark.parametrize(
    ("words", "phrase", "colour"),
    [
        ("black car", "car", (0.0, 0.0, 0.0)),
        ("a white orange", "orange", (1.0, 1.0, 1.0)),
        ("dark green ball", "red ball", (0.0, 100 / 255, 0.0)),  # CSS: darkgreen
    ],
)
def test_words_name_a_colour(words, phrase, colour):
    torch.testing.assert_close(named_colour(words, phrase), torch.tensor([colour]))


@pytest.mark.parametrize(("words", "said"), [("striped car", "no colour"), ("red and blue car", "several colours")])
def test_no_colour_or_several_are_refused(words, said):
    with pytest.raises(EditError, match=f"names {said}.*name one"):
        named_colour(words, "car")


def test_only_the_paint_changes_and_keeps_its_light():
    car = torch.where(WINDOW, GLASS, RED) * LIGHT
    green = torch.tensor((0.1, 0.6, 0.2))
    after = own_paint(car, WHOLE).replaced(car, green)
    window, body = WINDOW.clone(), ~WINDOW
    window[..., 22:, :] = window[..., :44] = False  # the edge between them is mixed
    body[..., :28, :] = body[..., :, 36:42] = False
    torch.testing.assert_close(after[:, :, window[0, 0]], car[:, :, window[0, 0]], atol=0.02, rtol=0)
    seen = after[0][:, body[0, 0]]
    assert (seen[1] > 1.5 * seen[0]).all()
    assert seen[1].max() > 1.6 * seen[1].min()


def test_a_thing_without_hue_is_painted_where_it_is_bright():
    mug = torch.where(WINDOW, 0.06, 0.8).expand(1, 3, 60, 80) * LIGHT.clamp(min=0.8)
    after = own_paint(mug, WHOLE).replaced(mug, torch.tensor((0.8, 0.1, 0.1)))
    assert (after[:, 0] - after[:, 1])[:, 30:].min() > 0.2
    assert (after - mug)[..., 2:22, 45:].abs().max() < 0.02


def test_light_from_the_ground_hides_no_paint_and_a_logo_stays():
    """A white thing, greenish below, with a red logo."""
    below = (ROWS > 40)[None, None]
    white, tinted, logo = (
        torch.tensor(c)[None, :, None, None] for c in ((0.9, 0.9, 0.9), (0.6, 0.68, 0.5), (0.8, 0.1, 0.1))
    )
    mark = ((ROWS < 12) & (COLUMNS < 12))[None, None]
    ball = torch.where(mark, logo, torch.where(below, tinted, white)).expand(1, 3, 60, 80)
    after = own_paint(ball, WHOLE).replaced(ball, torch.tensor((0.1, 0.2, 0.9)))
    assert (after[:, 2] - after[:, 0])[:, 44:].min() > 0.15, "below"
    assert (after[:, 2] - after[:, 0])[:, 16:36, 16:].min() > 0.15, "above"
    assert (after - ball)[..., :8, :8].abs().max() < 0.02


def test_a_paint_is_a_region_with_the_photos_edges():
    """What its pixels are likely to be has gaps, and specks in a buckle; its colours have noise alone."""
    random = np.random.default_rng(0)
    buckle = ((ROWS > 20) & (ROWS < 40) & (COLUMNS > 10) & (COLUMNS < 30)).numpy()
    rgb = np.where(buckle[..., None], (0.2, 0.2, 0.2), (0.3, 0.45, 0.7)) + random.normal(0, 0.02, (60, 80, 3))
    likely = np.where(random.random((60, 80)) < 0.2, 0.5, np.where(buckle, 0.0, 1.0)).astype(np.float32)
    likely[5:12, 60:75] = 0.2
    inside, never = np.ones((60, 80), bool), np.zeros((60, 80), bool)
    never[50:, :5] = True
    found = painted_region(rgb.astype(np.float32), inside, likely, never)
    core = cv2.erode(buckle.astype(np.uint8), np.ones((7, 7))) > 0
    around = cv2.dilate(buckle.astype(np.uint8), np.ones((7, 7))) == 0
    assert not found[core].any()
    assert found[around & ~never].all()
    assert not found[never].any()


def test_what_is_far_lighter_than_a_dark_paint_is_none_of_it():
    """A white shirt under a black jacket."""
    shirt = ((COLUMNS > 60) & (ROWS < 40))[None, None]
    jacket = torch.where(shirt, 0.85, 0.12).expand(1, 3, 60, 80)
    share = own_paint(jacket, WHOLE).share
    assert share[..., 3:37, 64:].max() < 0.05
    assert share[..., 45:, :].min() > 0.95


def test_what_is_black_all_over_is_paint():
    paint = own_paint(torch.zeros(1, 3, 60, 80), WHOLE)
    assert torch.equal(paint.colour, torch.zeros(3))
    assert paint.share.min() > 0.99


def test_a_paint_outside_the_object_says_nothing():
    picture = torch.where((COLUMNS < 30)[None, None], RED, torch.tensor((0.1, 0.2, 0.8))[None, :, None, None])
    colour = own_paint(picture, (COLUMNS >= 30).float()[None, None]).colour
    torch.testing.assert_close(colour, torch.tensor((0.1, 0.2, 0.8)), atol=1e-3, rtol=0)
