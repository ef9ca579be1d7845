"""New patterns, on a ball that is lit and painted by hand."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from realedit.appearance.dichromatic import replace_by_pattern
from realedit.appearance.pattern_transfer import transfer_pattern
from realedit.appearance.recolouring import Recolouring, recolourings
from tests.test_dichromatic import BLUE, ORANGE, WHITE

SIZE = 96, 128  # height, width
ROWS, COLUMNS = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
BALL = ((COLUMNS - 64).square() + (ROWS - 48).square() < 34**2).float()[None, None]


def colour(paint: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(paint)[None, :, None, None]


def striped(paint: tuple[float, float, float], light: torch.Tensor, wide: int, every: int = 16) -> torch.Tensor:
    """White stripes so many rows wide on a paint, in this light, on black."""
    stripe = ((ROWS - 8) % every < wide)[None, None]
    return torch.where(stripe, colour(WHITE), colour(paint)) * light * BALL


def inside(picture: torch.Tensor) -> torch.Tensor:
    return picture[0][:, BALL[0, 0] > 0.5].T


FROM_LEFT, FROM_RIGHT = (1.1 - (COLUMNS - 30) / 120)[None, None], (0.4 + (COLUMNS - 30) / 120)[None, None]
EVEN = torch.full((1, 1, *SIZE), 0.9)


def looks(own: torch.Tensor, imagined: torch.Tensor) -> Recolouring:
    return recolourings(inside(own), inside(imagined))[0]


@pytest.mark.parametrize("paint", [BLUE, ORANGE])
def test_the_pattern_is_the_models_and_the_light_the_photos(paint):
    own, drawn = colour(paint) * FROM_LEFT * BALL, striped(paint, FROM_RIGHT, wide=8)
    look = looks(own, striped(paint, EVEN, wide=8))
    assert look.pattern
    shown = transfer_pattern(own, BALL, drawn, look)
    light = float((inside(own) @ torch.tensor(paint)).mean() / torch.tensor(paint).square().sum())
    truth = striped(paint, FROM_LEFT / light * 0.9, wide=8)  # white is as bright as it was imagined
    assert float((inside(shown) - inside(truth)).abs().median()) < 0.03
    painted = inside(striped(paint, EVEN, wide=8))[:, 2 if paint == ORANGE else 0] < 0.4  # what is no stripe
    assert torch.allclose(inside(shown)[painted].median(0).values, inside(own)[painted].median(0).values, atol=0.03)


def test_each_paint_has_the_share_that_is_imagined():
    own = colour(BLUE) * FROM_LEFT * BALL
    drawn = F.avg_pool2d(F.pad(striped(BLUE, EVEN, wide=8), (0, 0, 3, 3), mode="replicate"), (7, 1), 1)  # vague
    pale = [
        float(
            (inside(transfer_pattern(own, BALL, drawn, looks(own, striped(BLUE, EVEN, wide))))[:, 0] > 0.4)
            .float()
            .mean()
        )
        for wide in (6, 8, 10)
    ]
    assert pale[0] < pale[1] < pale[2]
    assert pale[1] == pytest.approx(0.5, abs=0.06)


def test_one_pattern_goes_for_another():
    own, drawn = striped(BLUE, FROM_LEFT, wide=8), striped(BLUE, FROM_RIGHT, wide=16, every=32)
    look = looks(own, striped(BLUE, FROM_LEFT, wide=16, every=32))
    assert look.pattern
    shown, truth = transfer_pattern(own, BALL, drawn, look), striped(BLUE, FROM_LEFT, wide=16, every=32)
    assert float((inside(shown) - inside(truth)).abs().median()) < 0.06


def test_an_old_pattern_is_not_taken_for_highlights():
    own, drawn = striped(BLUE, FROM_LEFT, wide=8), striped(BLUE, FROM_RIGHT, wide=16, every=32)
    look = looks(own, striped(BLUE, FROM_LEFT, wide=16, every=32))
    dulled = replace(look, matte=True)
    assert torch.equal(transfer_pattern(own, BALL, drawn, dulled), transfer_pattern(own, BALL, drawn, look))


def test_a_small_picture_serves_a_large_photo():
    own, drawn = colour(BLUE) * FROM_LEFT * BALL, striped(BLUE, EVEN, wide=8)
    small = F.interpolate(drawn, size=(SIZE[0] // 2, SIZE[1] // 2), mode="area")
    look = looks(own, drawn)
    large, same = transfer_pattern(own, BALL, small, look), transfer_pattern(own, BALL, drawn, look)
    assert large.shape == own.shape
    assert float((inside(large) - inside(same)).abs().mean()) < 0.05


def test_what_covers_nothing_stays_as_it_is():
    own = colour(BLUE) * FROM_LEFT * BALL
    look = looks(own, striped(BLUE, EVEN, wide=8))
    assert torch.equal(transfer_pattern(own, 0 * BALL, own, look), own)


@pytest.mark.parametrize("paint", [BLUE, ORANGE])
def test_the_same_paint_everywhere_changes_nothing(paint):
    own = colour(paint) * FROM_LEFT.clamp(max=1) * BALL
    same = replace_by_pattern(own, torch.tensor([paint]), colour(paint).expand_as(own))
    assert torch.allclose(same, own, atol=1e-5)
