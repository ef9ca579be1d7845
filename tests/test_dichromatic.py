"""Paints found and replaced, on objects lit and painted by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realedit.appearance.dichromatic import (
    body_colours,
    has_two_colours,
    match_body_colours,
    may_have_two_shades,
    replace_body_colours,
)

PINK, WHITE, BLUE, ORANGE = ((0.9, 0.6, 0.7), (0.85, 0.85, 0.85), (0.2, 0.35, 0.8), (0.95, 0.6, 0.1))


def lit(paint: tuple[float, float, float], n: int = 200, seed: int = 0) -> torch.Tensor:
    """A paint (n, 3) in light from half to all."""
    light = 0.5 + 0.5 * torch.rand(n, 1, generator=torch.Generator().manual_seed(seed))
    return light * torch.tensor(paint)


def picture(colours: torch.Tensor) -> torch.Tensor:
    return colours.T[None, :, None]


def pixels(shown: torch.Tensor) -> torch.Tensor:
    return shown[0, :, 0].T


def test_shade_makes_no_second_paint():
    found = body_colours(lit(BLUE))
    assert found.shape == (1, 3)
    assert torch.allclose(found[0] / found[0].norm(), torch.tensor(BLUE) / torch.tensor(BLUE).norm(), atol=1e-4)


@pytest.mark.parametrize("other", [BLUE, PINK, ORANGE])
def test_two_paints_are_told_apart_in_any_light(other):
    found = body_colours(torch.cat([lit(WHITE, 300), lit(other, 150, seed=1)]))
    assert found.shape == (2, 3)
    for paint in (WHITE, other):
        ray = torch.tensor(paint) / torch.tensor(paint).norm()
        assert max(float(f @ ray / f.norm()) for f in found) > 0.9999


def test_a_highlight_is_no_paint():
    assert len(body_colours(torch.cat([lit(BLUE, 300), torch.ones(10, 3)]))) == 1


def test_many_colours_are_no_paints():
    generator = torch.Generator().manual_seed(0)
    assert body_colours(torch.rand(500, 3, generator=generator)) is None


def test_a_new_paint_stands_in_the_old_light():
    old, new = torch.tensor([BLUE]), torch.tensor([ORANGE])
    light = torch.linspace(0.3, 1, 50)[:, None]
    shown = pixels(replace_body_colours(picture(light * old), old, new))
    assert torch.allclose(shown, light * new, atol=0.02)  # not exact: dark pixels say less of the light on them


def test_two_new_paints_take_the_places_of_the_old_and_mix_as_they_did():
    old, new = torch.tensor([BLUE, WHITE]), torch.tensor([ORANGE, WHITE])
    share = torch.linspace(0, 1, 50)[:, None]
    light = 0.7
    shown = pixels(replace_body_colours(picture(light * (share * old[0] + (1 - share) * old[1])), old, new))
    assert torch.allclose(shown, light * (share * new[0] + (1 - share) * new[1]), atol=1e-5)


def test_a_pattern_goes_where_both_paints_become_one():
    old, new = torch.tensor([BLUE, WHITE]), torch.tensor([ORANGE, ORANGE])
    shown = pixels(replace_body_colours(picture(torch.cat([old, old.mean(0, keepdim=True)])), old, new))
    assert torch.allclose(shown, torch.tensor([ORANGE] * 3), atol=1e-5)


def test_highlights_stay_white():
    """A pixel that is all highlight, and one that is paint in half the light under half a highlight."""
    old, new = torch.tensor([BLUE]), torch.tensor([ORANGE])
    shown = pixels(replace_body_colours(picture(torch.cat([torch.ones(1, 3), 0.5 * old + 0.5])), old, new))
    assert torch.allclose(shown, torch.cat([torch.ones(1, 3), 0.5 * new + 0.5]), atol=0.1)


@given(st.integers(0, 1000), st.integers(1, 2))
def test_the_same_paints_change_nothing(seed, count):
    generator = torch.Generator().manual_seed(seed)
    shown, paints = torch.rand(1, 3, 4, 5, generator=generator), torch.rand(count, 3, generator=generator)
    assert torch.allclose(replace_body_colours(shown, paints, paints), shown, atol=1e-5)


def test_paints_are_paired_by_likeness_and_what_hardly_changes_stays():
    paints = torch.stack([lit(WHITE).mean(0), lit(BLUE).mean(0)])
    found = match_body_colours(paints, torch.cat([lit(ORANGE, 100), lit((0.75, 0.75, 0.7), 100, seed=1)]))
    assert torch.equal(found[0], paints[0])
    assert float(found[1] @ torch.tensor(ORANGE) / (found[1].norm() * torch.tensor(ORANGE).norm())) > 0.999


def test_where_all_changes_nothing_stays():
    found = match_body_colours(
        torch.tensor([BLUE, ORANGE]), torch.cat([lit(WHITE, 100), lit((0.1, 0.5, 0.2), 100, seed=1)])
    )
    assert not (found[:, None] == torch.tensor([BLUE, ORANGE])).all(-1).any()


def test_imagined_colours_are_patterned_or_not():
    blurred = 0.05 * torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    assert has_two_colours(torch.cat([lit(ORANGE, 200), lit(WHITE, 200, seed=1)]) + blurred)
    assert not has_two_colours(lit(ORANGE, 400) + blurred)


def test_shade_is_even_and_white_on_black_is_not():
    assert not may_have_two_shades(lit(BLUE))
    assert not may_have_two_shades(lit(WHITE))
    assert may_have_two_shades(torch.cat([lit(WHITE, 150), lit((0.15, 0.15, 0.15), 100, seed=1)]))
