"""Masks put right by the scene without their objects, on drawn scenes."""

import pytest
import torch

from realedit.compositing.mask_trimming import without_shadow

NONE = torch.zeros(1, 1, 96, 128)


def filled(top: int, bottom: int, left: int, right: int) -> torch.Tensor:
    mask = NONE.clone()
    mask[..., top:bottom, left:right] = 1
    return mask


def painted(plate: torch.Tensor, mask: torch.Tensor, *colour: float) -> torch.Tensor:
    return torch.where(mask > 0.5, torch.tensor(colour)[None, :, None, None], plate)


BODY, NECK, SHADOW = filled(40, 70, 50, 80), filled(28, 40, 60, 70), filled(64, 70, 80, 96)
PLATE = torch.full((1, 3, 96, 128), 0.7) + 1e-4 * torch.arange(128)
ROOM = PLATE + 1e-3  # the photo is nowhere exactly what a model drew


@pytest.fixture
def bottle() -> torch.Tensor:
    """A red bottle with a darker neck, and its shadow beside it."""
    photo = painted(painted(ROOM, BODY, 0.8, 0.1, 0.1), NECK, 0.4, 0.05, 0.05)
    return torch.where(SHADOW > 0.5, 0.6 * photo, photo)


def test_a_shadow_that_was_taken_is_not(bottle):
    whole = torch.maximum(BODY, NECK)
    assert torch.equal(without_shadow(bottle, PLATE, torch.maximum(whole, SHADOW), NONE), whole)


def test_a_light_stripe_of_the_object_is_no_shadow(bottle):
    """One that is as a darker table would be, at its edge, and of which there are more inside."""
    lines = torch.where(torch.arange(96)[:, None] % 16 < 1, 1.0, 0.0).expand(1, 1, 96, 128)
    striped = torch.where((lines * BODY) > 0.5, 0.62 * torch.ones_like(bottle) + 1e-3, bottle)
    assert (lines * BODY)[..., 64, 50:80].all()
    assert torch.equal(without_shadow(striped, PLATE, BODY, NONE), BODY)


def test_what_is_right_stays(bottle):
    whole = torch.maximum(BODY, NECK)
    assert torch.equal(without_shadow(bottle, PLATE, whole, NONE), whole)


def test_an_object_that_could_be_a_shadow_keeps_its_pixels():
    """Grey on grey, nothing tells them apart."""
    grey = painted(ROOM, torch.maximum(BODY, SHADOW), 0.4, 0.4, 0.4)
    both = torch.maximum(BODY, SHADOW)
    assert torch.equal(without_shadow(grey, PLATE, both, NONE), both)


def test_a_scene_that_is_itself_off_says_nothing(bottle):
    wrong = PLATE + torch.tensor((0.25, -0.25, 0.0))[None, :, None, None] * (torch.arange(96)[:, None] // 3 % 2)
    both = torch.maximum(BODY, SHADOW)
    assert torch.equal(without_shadow(bottle, wrong, both, NONE), both)
