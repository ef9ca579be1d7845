"""What is dim at an object's foot, on grounds painted by hand."""

import pytest
import torch

from realedit.compositing.dimmed_ground import DIMMED_REACH, FOOT_HEIGHT, dimmed_ground

HEIGHT, WIDTH = 120, 160
ROWS, COLUMNS = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
TABLE = torch.tensor((0.6, 0.4, 0.25)).reshape(1, 3, 1, 1)
NOTHING = torch.zeros(1, 1, HEIGHT, WIDTH)
EXTENT = 40.0


def thing(top: int = 30, left: int = 60) -> torch.Tensor:
    """A mask (1, 1, H, W) of 40 x 40 pixels."""
    mask = NOTHING.clone()
    mask[..., top : top + 40, left : left + 40] = 1
    return mask


def scene(mask: torch.Tensor, light: torch.Tensor | float = 1.0) -> torch.Tensor:
    """A white thing on a table that has this much light."""
    return torch.where(mask > 0.5, 0.95, TABLE.expand(1, 3, HEIGHT, WIDTH) * light)


def dimmed() -> torch.Tensor:
    """Light (H, W) that is less near the thing's foot."""
    away_from_foot = torch.hypot((60 - COLUMNS).clamp(min=COLUMNS - 100).clamp(min=0), ROWS - 70) / EXTENT
    return 1 - 0.2 * (1 - away_from_foot / 0.2).clamp(min=0)


def away() -> torch.Tensor:
    """How far each pixel is from the thing, in its extents."""
    across, down = ((60 - COLUMNS).clamp(min=COLUMNS - 100).clamp(min=0), (30 - ROWS).clamp(min=ROWS - 70).clamp(min=0))
    return torch.hypot(across, down) / EXTENT


def test_a_contact_shadow_that_fades_out_is_found_at_the_foot_alone():
    light = dimmed()
    found = dimmed_ground(scene(thing(), light), thing(), NOTHING)[0, 0] > 0.5
    foot = ROWS > 69 - FOOT_HEIGHT * 40
    assert found[(light < 0.95) & foot & (away() > 2 / EXTENT)].all(), "but for the thing's blurred edge"
    assert not found[~foot | (away() > DIMMED_REACH + 1 / EXTENT)].any()
    assert not found[thing()[0, 0] > 0.5].any()


def test_however_dark_it_is_close_to_the_thing():
    away_from_foot = torch.hypot((60 - COLUMNS).clamp(min=COLUMNS - 100).clamp(min=0), ROWS - 70)
    light = (0.45 + 0.55 * away_from_foot / 9).clamp(max=1)
    close = (ROWS > 72) & (light < 0.9) & (COLUMNS > 64) & (COLUMNS < 96)
    assert (light[close] < 0.63).any(), "a thing, were it farther off"
    assert dimmed_ground(scene(thing(), light), thing(), NOTHING)[0, 0][close].all()


def test_an_even_ground_is_not_dimmed():
    assert not dimmed_ground(scene(thing()), thing(), NOTHING).any()


@pytest.mark.parametrize(
    "colour", [(0.1, 0.07, 0.05), (0.55, 0.45, 0.6), (0.42, 0.28, 0.175)], ids=["dark", "of another tint", "with edges"]
)
def test_a_thing_beside_the_foot_is_left(colour):
    beside = (COLUMNS > 102) & (COLUMNS < 108) & (ROWS > 62) & (ROWS < 76)
    photo = torch.where(beside, torch.tensor(colour).reshape(1, 3, 1, 1), scene(thing()))
    assert not dimmed_ground(photo, thing(), NOTHING)[0, 0][beside].any()


def test_what_does_not_fade_out_is_no_dimmed_ground():
    stripe = (ROWS > 70) & (ROWS < 76) & (COLUMNS > 70) & (COLUMNS < 90)
    found = dimmed_ground(scene(thing(), torch.where(stripe, 0.75, 1.0)), thing(), NOTHING)[0, 0] > 0.5
    assert not found[(ROWS > 73) & stripe].any()


def test_neither_others_nor_cut_off_feet_nor_empty_masks_have_any():
    left = torch.zeros_like(NOTHING)
    left[..., :80] = 1
    found = dimmed_ground(scene(thing(), dimmed()), thing(), left)
    assert not found[..., :80].any()
    assert found[..., 80:].any()
    assert not dimmed_ground(scene(thing(80)), thing(80), NOTHING).any()
    assert not dimmed_ground(scene(NOTHING), NOTHING, NOTHING).any()
