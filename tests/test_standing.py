"""On what objects stand, against outlines whose base is known by construction."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from realedit.camera import Camera
from realedit.masks import box_mask, mask_place
from realedit.standing import SLANT, middle_of_base
from samples.renderer import render
from samples.scenes import Thing, project, sample_scene

SIZE = 160, 120  # width, height


def outline(*corners: tuple[float, float]) -> torch.Tensor:
    """A filled polygon (1, 1, H, W) of points in pixels."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 1)
    return torch.from_numpy(mask).float()[None, None]


def ellipse(x: int, y: int, across: int, down: int) -> torch.Tensor:
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.ellipse(mask, (x, y), (across, down), 0, 0, 360, 1, -1)
    return torch.from_numpy(mask).float()[None, None]


def pixels(mask: torch.Tensor) -> tuple[float, float]:
    x, y = middle_of_base(mask)
    return x * SIZE[0], y * SIZE[1]


def test_a_box_turned_to_us_stands_halfway_between_its_corners():
    """Its base is a parallelogram: what lies halfway between the left and the right corner is its middle,
    wherever the corner in front is."""
    box = outline((40, 90), (60, 100), (100, 80), (100, 40), (80, 30), (40, 50))
    assert pixels(box) == pytest.approx((70.5, 85), abs=1.5)


@pytest.mark.parametrize("slant", [0.3, 0.5])
def test_a_can_stands_on_the_middle_of_its_ellipse(slant):
    half = 24
    can = torch.maximum(ellipse(80, 80, half, round(slant * half)), outline((56, 40), (104, 40), (104, 80), (56, 80)))
    assert pixels(can) == pytest.approx((80.5, 80.5), abs=0.3 * slant * half)


def test_a_box_that_shows_only_its_front_is_as_deep_as_a_round_one():
    place = mask_place(box_mask((0.25, 0.5, 0.5, 0.75), (128, 96)))
    assert place.foot == pytest.approx((0.375, 0.75), abs=1 / 128)
    assert place.stands == pytest.approx((0.375, 0.75 - SLANT * 16 / 96), abs=0.5 / 96)


def test_a_ball_touches_with_little():
    """As wide a box stands much farther in."""
    bottom = 100.5
    ball, box = pixels(ellipse(80, 70, 30, 30)), pixels(outline((50, 40), (110, 40), (110, 100), (50, 100)))
    assert ball[0] == pytest.approx(80.5, abs=0.25)
    assert 0 < bottom - ball[1] < 0.8 * (bottom - box[1])


@pytest.mark.parametrize("seed", range(12))
def test_teeth_in_an_outline_are_no_corners(seed):
    ball = ellipse(80, 70, 10, 10)
    rim = torch.nn.functional.max_pool2d(ball, 3, 1, 1) - ball
    teeth = rim * (torch.rand(ball.shape, generator=torch.Generator().manual_seed(seed)) < 0.3)
    assert pixels(torch.maximum(ball, teeth)) == pytest.approx(pixels(ball), abs=1)


def test_seen_from_above_a_ball_stands_inwards_of_its_middle():
    """Upright lines meet below the frame; a can's base is where its corners are, whatever the camera."""
    camera = Camera(SIZE, math.radians(20))
    ball, can = ellipse(130, 70, 15, 15), outline((120, 40), (140, 40), (140, 80), (120, 80))
    x, y = middle_of_base(ball, camera)
    assert (x, y) == pytest.approx(camera.below((130.5 / 160, 70.5 / 120), y), abs=1e-3)
    assert x * SIZE[0] < pixels(ball)[0] - 0.5
    assert middle_of_base(can, camera) == middle_of_base(can)


def test_a_cup_stands_on_its_narrow_end():
    cup = outline((50, 40), (110, 40), (92, 100), (68, 100))
    assert pixels(cup) == pytest.approx((80.5, 101 - SLANT * 14), abs=1)


def test_no_base_lies_beyond_the_objects_middle():
    """A shelf along the top edge is wide and flat."""
    assert middle_of_base(box_mask((0.0, 0.0, 1.0, 0.125), (128, 96))) == (0.5, 0.0625)


def test_a_mask_of_one_pixel_has_a_base():
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 4, 2] = 1
    x, y = middle_of_base(dot)
    assert (x, y) == pytest.approx((2.5 / 8, 4.8 / 8), abs=0.05)


@pytest.mark.parametrize("shape", ["cone", "can"])
@pytest.mark.parametrize("x", [-0.7, 0.7])
def test_the_lowest_point_of_what_stands_aside_lies_outwards(shape, x):
    """Towards the camera lines spread, so the front of a base lies farther out than its middle: against the
    renderer's own."""
    width, height = 160, 128
    scene = replace(
        sample_scene(1_000_001, width, height), things=(Thing(shape, "red", "plain", "matte", x, -0.2, 0.9),)
    )
    mask = (render([scene], width, height).masks[0, 0, None, None] > 0.5).float()
    true, row, _ = project(scene, (x, -0.2 - scene.front(0), 0.0), width, height)
    place = mask_place(mask)
    middle = (place.box[0] + place.box[2]) / 2
    assert place.lowest[1] == place.box[3] == pytest.approx(row, abs=1 / height)
    assert abs(place.lowest[0] - true) < 0.6 * abs(middle - true)
    assert abs(place.lowest[0] - true) < 1.5 / width


def test_the_lowest_point_of_what_is_alike_on_both_sides_is_its_middle():
    assert mask_place(ellipse(80, 70, 30, 20)).lowest == pytest.approx((80.5 / 160, 91 / 120), abs=1e-3)
    middle = box_mask((0.25, 0.5, 0.75, 0.75), (128, 96))
    assert mask_place(middle).lowest == pytest.approx((0.5, 0.75), abs=1e-9)
