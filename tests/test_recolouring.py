"""The ways in which an object takes on new colours."""

import pytest
import torch

from realedit.appearance.recolouring import Recolouring, recolour, recolourings
from tests.test_dichromatic import BLUE, ORANGE, WHITE, lit, picture, pixels

CHECKED = torch.cat([lit(BLUE, 150), lit(WHITE, 150, seed=1)])
MIXED = torch.rand(300, 3, generator=torch.Generator().manual_seed(0))


def spread(colours: torch.Tensor) -> float:
    """How far hues differ: of colours (n, 3) scaled to one brightness."""
    return float((colours / colours.sum(1, keepdim=True)).std(0).sum())


def shown(way: Recolouring, own: torch.Tensor) -> torch.Tensor:
    """An object's colours (n, 3) recoloured."""
    return pixels(way.apply(picture(own), torch.ones(1, 1, 1, len(own))))


def test_a_pattern_stays_where_the_new_look_has_one():
    (way,) = recolourings(CHECKED, torch.cat([lit(ORANGE, 150), lit(WHITE, 150, seed=1)]))
    assert torch.allclose(shown(way, CHECKED), torch.cat([lit(ORANGE, 150), lit(WHITE, 150, seed=1)]), atol=0.15)
    assert not way.inexpressible


def test_a_pattern_may_go_for_another_in_the_same_colours():
    stays, goes = recolourings(CHECKED, torch.cat([lit(BLUE, 150, seed=2), lit(WHITE, 150, seed=3)]))
    assert spread(shown(goes, CHECKED)) < 0.01 < spread(shown(stays, CHECKED))


def test_a_pattern_goes_first_where_the_new_look_is_plain():
    goes, _ = recolourings(CHECKED, lit(ORANGE))
    assert spread(shown(goes, CHECKED)) < 0.01


def test_a_plain_object_lacks_a_pattern_that_the_new_look_has():
    (way,) = recolourings(lit(BLUE), CHECKED)
    assert way.inexpressible
    assert spread(shown(way, lit(BLUE))) < 0.01


@pytest.mark.parametrize(
    ("own", "new", "lacking"),
    [
        (lit(BLUE), lit(BLUE, seed=1), True),  # a material
        (CHECKED, lit(BLUE), True),  # no pattern
        (CHECKED, torch.cat([lit(BLUE, 150, seed=2), lit(WHITE, 150, seed=3)]), True),  # another pattern
        (CHECKED, torch.cat([lit(ORANGE, 150), lit(WHITE, 150, seed=1)]), False),
        (CHECKED, lit(ORANGE), False),
        (lit(BLUE), torch.cat([lit(ORANGE, 150), lit(WHITE, 150, seed=1)]), True),
    ],
)
def test_pixels_lack_what_new_colours_do_not_bring(own, new, lacking):
    assert all(way.inexpressible is lacking for way in recolourings(own, new))


def test_a_plain_object_takes_one_paint():
    (way,) = recolourings(lit(BLUE), lit(ORANGE))
    assert not way.inexpressible
    assert torch.allclose(shown(way, lit(BLUE)), lit(ORANGE), atol=0.03)


def test_without_paints_distributions_are_matched():
    (way,) = recolourings(MIXED, lit(ORANGE))
    everywhere = torch.ones(1, 1, 1, 300)
    assert torch.equal(way.apply(picture(MIXED), everywhere), recolour(picture(MIXED), everywhere, lit(ORANGE)))


@pytest.mark.parametrize(("own", "new"), [(0, 200), (200, 0), (0, 0), (1, 1)])
def test_an_object_or_a_look_of_hardly_any_pixels_breaks_nothing(own, new):
    (way,) = recolourings(lit(BLUE, own), lit(ORANGE, new))
    everywhere = torch.ones(1, 1, 1, 200)
    result = way.apply(picture(lit(BLUE)), everywhere)
    assert result.isfinite().all()
    if new == 0:
        assert torch.equal(result, picture(lit(BLUE)))


def test_colours_and_paints_are_converted_together():
    way = Recolouring(lit(ORANGE), torch.tensor([BLUE]), torch.tensor([ORANGE])).converted(lambda shown: shown / 2)
    assert torch.equal(way.colours, lit(ORANGE) / 2)
    assert torch.equal(way.old_colours, torch.tensor([BLUE]) / 2)
    assert torch.equal(way.new_colours, torch.tensor([ORANGE]) / 2)
    assert Recolouring(lit(ORANGE)).converted(torch.sqrt).old_colours is None


def test_what_shall_be_matt_lacks_nothing_where_its_gloss_goes():
    glossy = torch.cat([lit(BLUE, 300), lit(WHITE, 6)])
    (dulled,), (kept,) = (recolourings(glossy, lit(ORANGE), dulled) for dulled in (True, False))
    assert dulled.matte
    assert not kept.matte
    assert dulled.converted(torch.sqrt).matte
    assert not recolourings(lit(BLUE), lit(BLUE, seed=1), matte=True)[0].inexpressible  # matt as it shall be
    assert recolourings(lit(BLUE), lit(BLUE, seed=1))[0].inexpressible


def test_a_pattern_is_put_on_what_is_evenly_lit_and_highlights_are_none():
    glossy = torch.cat([lit(ORANGE, 280), lit(WHITE, 20, seed=1).clamp(min=0.8)])
    assert recolourings(lit(BLUE), CHECKED)[0].pattern
    assert not recolourings(lit(BLUE), lit(ORANGE))[0].pattern
    black_on_white = torch.cat([lit(WHITE, 150), lit((0.15, 0.15, 0.15), 150, seed=1)])
    assert not recolourings(black_on_white, CHECKED)[0].pattern  # how the light falls on it cannot be told
    assert not any(way.pattern for way in recolourings(lit(BLUE), glossy))
