"""Highlights, on a ball lit by hand."""

import pytest
import torch

from realedit.appearance.highlights import has_highlights, remove_highlights

PAINTS = [(0.7, 0.1, 0.1), (0.2, 0.3, 0.8), (0.12, 0.12, 0.12), (0.85, 0.75, 0.2)]
ROWS, COLUMNS = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(128) + 0.5, indexing="ij")


def disc(x: float, y: float, radius: float) -> torch.Tensor:
    return (((COLUMNS - x).square() + (ROWS - y).square()).sqrt() < radius).float()[None, None]


BALL = disc(64, 48, 30)


def ball(paint: tuple[float, float, float], gleam: float, other: tuple[float, float, float] | None = None):
    """A ball of one paint, or striped with another, in light that comes from the left, with a highlight as bright as
    `gleam`; on a green ground."""
    light = (1.2 - (COLUMNS - 34) / 100)[None, None]
    colour = torch.tensor(paint)[None, :, None, None]
    if other is not None:
        colour = torch.where((ROWS // 8 % 2 > 0)[None, None], torch.tensor(other)[None, :, None, None], colour)
    spot = gleam * torch.exp(-((COLUMNS - 56).square() + (ROWS - 38).square()) / 8)[None, None]
    ground = torch.tensor((0.3, 0.6, 0.3))[None, :, None, None]
    return torch.where(BALL > 0.5, colour * light + spot, ground).clamp(0, 1)


def colours(picture: torch.Tensor) -> torch.Tensor:
    return picture[0][:, BALL[0, 0] > 0.5].T


@pytest.mark.parametrize("paint", PAINTS)
def test_a_small_white_spot_makes_gloss_and_shade_makes_none(paint):
    assert has_highlights(colours(ball(paint, gleam=0.8)))
    assert not has_highlights(colours(ball(paint, gleam=0.0)))
    assert not has_highlights(colours(ball(paint, gleam=0.02)))  # hardly to be seen


def test_a_pale_pattern_is_no_highlight():
    assert not has_highlights(colours(ball((0.7, 0.1, 0.1), 0.0, other=(0.9, 0.9, 0.9))))
    assert not has_highlights(torch.zeros(0, 3))


@pytest.mark.parametrize("paint", PAINTS)
def test_without_its_highlight_a_ball_is_as_matt_as_one_that_never_had_any(paint):
    shown, true = remove_highlights(ball(paint, gleam=0.9), BALL), ball(paint, gleam=0.0)
    assert (shown - true).abs().max() < 0.07 < (ball(paint, gleam=0.9) - true).abs().max()
    assert torch.equal(shown * (1 - disc(56, 38, 12)), ball(paint, gleam=0.9) * (1 - disc(56, 38, 12)))


def test_what_has_no_highlight_stays_as_it_is():
    picture = ball(PAINTS[0], gleam=0.0)
    assert torch.equal(remove_highlights(picture, BALL), picture)
    assert torch.equal(remove_highlights(picture, torch.zeros_like(BALL)), picture)
