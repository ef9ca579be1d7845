"""What an object leaves beside it, seen without a model: its shadow."""

import pytest
import torch

from realedit.compositing.effects_without_model import effects_without_model
from realedit.compositing.open_ground import open_ground
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


def test_a_shadow_is_seen_as_dark_as_it_is_and_nowhere_else():
    (trace,) = effects_without_model(scene(SHADE, 0.6), [BALL], NOTHING, 0.025)
    seen = (SHADE > 0.5) & (BALL < 0.5) & (ellipse(84, 74, 11, 2.5) > 0.5)
    torch.testing.assert_close(trace.shadow[seen], torch.full((int(seen.sum()),), 0.6), atol=0.05, rtol=0)
    far = ellipse(70, 60, 45, 45) < 0.5
    assert torch.equal(trace.shadow[far], torch.ones(int(far.sum())))


def test_without_a_shadow_none_is_seen():
    (trace,) = effects_without_model(scene(NOTHING, 1.0), [BALL], NOTHING, 0.025)
    assert float(trace.shadow.min()) > VISIBLE_SHADE


@pytest.mark.parametrize("light", ["gradient", "vignette"])
def test_a_backdrop_that_darkens_smoothly_is_no_shadow(light):
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 160), indexing="ij")
    shade = 0.75 - 0.25 * rows if light == "gradient" else 1 - 0.25 * (rows.square() + columns.square())
    photo = torch.where(BALL > 0.5, 0.3, 1.0) * FLOOR * shade
    (trace,) = effects_without_model(photo, [BALL], NOTHING, 0.025)
    assert not trace.visible()[BALL < 0.5].any()


def test_what_stays_is_no_shadow():
    dark = ellipse(96, 64, 10, 10)
    photo = torch.where((dark > 0.5) & (BALL < 0.5), torch.full_like(FLOOR, 0.2), scene(NOTHING, 1.0))
    (trace,) = effects_without_model(photo, [BALL], dark * (1 - BALL), 0.025)
    assert float(trace.shadow[(dark > 0.5) & (BALL < 0.5)].min()) == 1


@pytest.mark.parametrize(
    ("part", "light"),
    [(ellipse(88, 63, 9, 4), 0.6), (ellipse(86, 78, 18, 10), 0.1)],
    ids=["it ends above the foot", "it is darker than any shadow"],
)
def test_what_no_lamp_could_make_of_an_object_is_no_shadow(part, light):
    (trace,) = effects_without_model(scene(part, light), [BALL], NOTHING, 0.025)
    assert not trace.visible()[BALL < 0.5].any()


def test_a_dark_shadow_is_whole_though_a_light_patch_beside_it_goes_on():
    """Which may be the ground's own, and of which only what lies close counts."""
    patch = ellipse(160, 76, 80, 10)
    photo = torch.where((patch > 0.5) & (SHADE < 0.5) & (BALL < 0.5), FLOOR * 0.93, scene(SHADE, 0.5))
    (trace,) = effects_without_model(photo, [BALL], NOTHING, 0.025)
    beside = BALL < 0.5
    assert (trace.shadow[(SHADE > 0.5) & beside & (ellipse(84, 74, 11, 2.5) > 0.5)] < 0.65).all()
    assert trace.shadow[(ellipse(125, 76, 12, 6) > 0.5)].min() > 0.99


def test_a_dark_patch_is_no_shadow_where_the_ground_has_many():
    photo = scene(SHADE, 0.5)
    for x, y in ((42, 82), (66, 90), (98, 90)):
        photo = torch.where(ellipse(x, y, 9, 5) > 0.5, FLOOR * 0.5, photo)
    (trace,) = effects_without_model(photo, [BALL], NOTHING, 0.025)
    assert trace.shadow[ellipse(96, 76, 3, 2) > 0.5].min() > 0.99, "but for what lies close"


def test_a_shadow_fades_up_the_sides_of_its_object():
    (trace,) = effects_without_model(scene(ellipse(84, 70, 16, 9), 0.5), [BALL], NOTHING, 0.025)
    rows = trace.shadow[0, 0, 55:75, 88]
    assert (rows.diff() <= 1e-3).all()
    assert (rows.diff() > -0.25).all()


def test_a_long_shadow_is_seen_to_its_end():
    """Which is twice as far as shadows are looked for at first, that of a ball 28 pixels across in all directions."""
    long = ellipse(100, 73, 30, 4)
    (trace,) = effects_without_model(scene(long, 0.6), [BALL], NOTHING, 0.025)
    core = (ellipse(100, 73, 27, 2.5) > 0.5) & (BALL < 0.5)
    assert float(trace.shadow[core].max()) < 0.85
    assert float(trace.shadow[(ellipse(100, 73, 36, 10) < 0.5) & (ellipse(70, 60, 24, 24) < 0.5)].min()) > 0.99


def test_another_object_that_goes_too_is_no_long_shadow():
    other = ellipse(108, 70, 10, 8)
    photo = torch.where(other > 0.5, FLOOR * 0.4, scene(ellipse(100, 73, 30, 4), 0.6))
    trace, _ = effects_without_model(photo, [BALL, other * (1 - BALL)], NOTHING, 0.025)
    on_it = (other > 0.5) & (BALL < 0.5) & (ellipse(100, 73, 30, 6) < 0.5)
    assert trace.shadow[on_it].min() > 0.85, "but for the blurred rim of the shadow behind it"


def test_what_is_as_wide_as_the_object_is_no_long_shadow():
    rows = torch.arange(128)[:, None].expand(128, 160)
    rug = ((rows > 70) & (rows < 110)).float()[None, None]
    (trace,) = effects_without_model(scene(rug, 0.6), [BALL], NOTHING, 0.025)
    assert float(trace.shadow[(ellipse(70, 60, 24, 24) < 0.5)].min()) > VISIBLE_SHADE


@pytest.mark.parametrize(("wide", "filled"), [(9, True), (40, False)])
def test_the_open_ground_is_without_what_is_narrower_than_the_object(wide: int, filled: bool):
    stripe = torch.zeros(1, 1, 128, 160)
    stripe[..., 80 : 80 + wide, :] = 1
    photo = torch.where(stripe > 0.5, FLOOR * 0.5, FLOOR)
    _, plate = open_ground(torch.where(BALL > 0.5, 0.1, photo), BALL, torch.ones_like(BALL))
    beside, far = (slice(None), slice(None), 80 + wide // 2, 75), (slice(None), slice(None), 10, 10)
    torch.testing.assert_close(plate[far], FLOOR[far])
    torch.testing.assert_close(plate[beside], FLOOR[beside] * (1.0 if filled else 0.5), atol=0.01, rtol=0)
