"""Photos taken apart without a model: what is behind an object, and its shadow."""

import torch

from realedit.compositing.separation import separate_without_model
from realedit.compositing.shadows import VISIBLE_SHADE


def ellipse(x: float, y: float, wide: float, high: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(160) + 0.5, indexing="ij")
    return (((columns - x) / wide).square() + ((rows - y) / high).square() < 1).float()[None, None]


FLOOR = torch.tensor((0.7, 0.6, 0.5))[None, :, None, None].expand(1, 3, 128, 160)
BALL, SHADE = ellipse(70, 60, 16, 16), ellipse(84, 74, 14, 5)
NOTHING = torch.zeros_like(BALL)


def scene(shade: torch.Tensor, light: float) -> torch.Tensor:
    """A dark ball on an even floor, whose shadow leaves this share of light."""
    ball = FLOOR * 0.3
    return torch.where(BALL > 0.5, ball, torch.where(shade > 0.5, FLOOR * light, FLOOR))


def test_a_shadow_goes_with_its_object_and_the_floor_behind_both_is_even():
    backdrop, (trace,) = separate_without_model(scene(SHADE, 0.6), [BALL], NOTHING, 0.025)
    seen = (SHADE > 0.5) & (BALL < 0.5) & (ellipse(84, 74, 11, 2.5) > 0.5)
    torch.testing.assert_close(trace.shadow[seen], torch.full((int(seen.sum()),), 0.6), atol=0.05, rtol=0)
    gone = ((BALL + SHADE) > 0.5).expand_as(FLOOR)
    assert (backdrop.image - FLOOR)[gone].abs().max() < 0.03
    far = ellipse(70, 60, 45, 45) < 0.5
    assert torch.equal(trace.shadow[far], torch.ones(int(far.sum())))


def test_without_a_shadow_none_is_seen():
    _, (trace,) = separate_without_model(scene(NOTHING, 1.0), [BALL], NOTHING, 0.025)
    assert float(trace.shadow.min()) > VISIBLE_SHADE


def test_what_stays_is_no_shadow():
    dark = ellipse(96, 64, 10, 10)
    photo = torch.where((dark > 0.5) & (BALL < 0.5), torch.full_like(FLOOR, 0.2), scene(NOTHING, 1.0))
    _, (trace,) = separate_without_model(photo, [BALL], dark * (1 - BALL), 0.025)
    assert float(trace.shadow[(dark > 0.5) & (BALL < 0.5)].min()) == 1
