"""Whose shadow is whose, on scenes whose light is known."""

import pytest
import torch

from realedit.compositing.shadows import VISIBLE_SHADE, cast_shadows

FLOOR = torch.tensor((0.7, 0.6, 0.5))[None, :, None, None].expand(1, 3, 128, 160)
LIGHT = 0.6


def ellipse(x: float, y: float, wide: float, high: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(160) + 0.5, indexing="ij")
    return (((columns - x) / wide).square() + ((rows - y) / high).square() < 1).float()[None, None]


LEFT, RIGHT = ellipse(40, 60, 12, 14), ellipse(86, 60, 12, 14)
BETWEEN = ellipse(62, 70, 20, 4)  # from the left one to the right one
BEYOND = ellipse(108, 70, 20, 4)  # from the right one on


def scene(*shadows: torch.Tensor) -> torch.Tensor:
    """Two grey balls on an even floor."""
    photo = FLOOR.clone()
    for shadow in shadows:
        photo = torch.where(shadow > 0.5, FLOOR * LIGHT, photo)
    return torch.where(torch.maximum(LEFT, RIGHT) > 0.5, torch.tensor(0.4), photo)


def seen(shadow: torch.Tensor, where: torch.Tensor) -> float:
    """The share of a true shadow, clear of the balls, that is seen in this one."""
    clear = (where > 0.5) & (ellipse(40, 60, 16, 18) < 0.5) & (ellipse(86, 60, 16, 18) < 0.5)
    return float((shadow < VISIBLE_SHADE)[clear].float().mean())


def test_a_shadow_that_touches_two_objects_is_that_of_the_one_with_the_lamp_behind():
    one, two = cast_shadows(scene(BETWEEN, BEYOND), FLOOR, [LEFT, RIGHT])
    assert seen(one, BETWEEN) > 0.9
    assert seen(two, BETWEEN) == 0
    assert seen(two, BEYOND) > 0.9
    assert seen(one, BEYOND) == 0
    deep = (BEYOND > 0.5) & (ellipse(116, 70, 6, 2) > 0.5)
    assert two[deep].mean().item() == pytest.approx(LIGHT, abs=0.03)


def test_where_no_other_shadow_tells_both_take_it():
    """As before anything was known of the lamp: it must not stay behind when either of them leaves."""
    one, two = cast_shadows(scene(BETWEEN), FLOOR, [LEFT, RIGHT])
    assert min(seen(one, BETWEEN), seen(two, BETWEEN)) > 0.9


def test_a_neighbour_that_stays_keeps_its_shadow():
    """Unless nothing tells whose it is."""
    (shadow,) = cast_shadows(scene(BETWEEN, BEYOND), FLOOR, [RIGHT], [LEFT])
    assert seen(shadow, BETWEEN) == 0
    assert seen(shadow, BEYOND) > 0.9
    (unsure,) = cast_shadows(scene(BETWEEN), FLOOR, [RIGHT], [LEFT, torch.zeros_like(LEFT)])
    assert seen(unsure, BETWEEN) > 0.9


def test_a_speck_says_nothing_of_the_lamp():
    """It is smaller than the shadow in dispute."""
    speck = ellipse(101, 68, 4, 3)
    one, two = cast_shadows(scene(BETWEEN, speck), FLOOR, [LEFT, RIGHT])
    assert min(seen(one, BETWEEN), seen(two, BETWEEN)) > 0.9


def test_an_object_alone_has_every_shadow_that_touches_it():
    photo = torch.where(RIGHT > 0.5, FLOOR, scene(BETWEEN, ellipse(20, 70, 16, 4)))
    (shadow,) = cast_shadows(photo, FLOOR, [LEFT])
    assert seen(shadow, BETWEEN) > 0.9
    assert seen(shadow, ellipse(20, 70, 16, 4)) > 0.9


def test_what_is_not_there_casts_no_shadow_and_takes_nobodys():
    none, one, two = cast_shadows(scene(BETWEEN, BEYOND), FLOOR, [torch.zeros_like(LEFT), LEFT, RIGHT])
    assert (none == 1).all()
    expected = cast_shadows(scene(BETWEEN, BEYOND), FLOOR, [LEFT, RIGHT])
    assert torch.equal(one, expected[0])
    assert torch.equal(two, expected[1])


def parted(gap: int) -> torch.Tensor:
    """Two parts of a shadow beside the left ball, with this many rows between them where the plate is wrong."""
    shadow = torch.zeros_like(LEFT)
    shadow[..., 62:70, 48:70] = 1
    shadow[..., 62 - gap - 12 : 62 - gap, 60:70] = 1
    return shadow


@pytest.mark.parametrize(("gap", "whole"), [(3, True), (8, False)])
def test_a_shadow_goes_on_beyond_a_seam_but_not_beyond_a_gap(gap: int, whole: bool):
    """As where a table meets a wall."""
    shadow = parted(gap)
    photo = torch.where(LEFT > 0.5, torch.tensor(0.4), torch.where(shadow > 0.5, FLOOR * LIGHT, FLOOR))
    (found,) = cast_shadows(photo, FLOOR, [LEFT])
    upper = shadow * (torch.arange(128)[:, None] < 62)
    assert seen(found, shadow - upper) > 0.9
    assert (seen(found, upper) > 0.9) is whole
