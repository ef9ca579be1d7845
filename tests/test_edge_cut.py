"""The edge of a mask is moved to where the photo has one, and only so far as it may be off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realedit.compositing.edge_cut import edge_cut, sure_parts

SHAPE = 90, 130


def disc(radius: float, middle: tuple[float, float] = (45.3, 60.7)) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(y - middle[0], x - middle[1]) < radius


def ground(seed: int = 0) -> np.ndarray:
    """Boards (H, W, 3): stripes of several greys, with grain."""
    stripes = 0.35 + 0.25 * np.sign(np.sin(np.arange(SHAPE[0]) / 2.5))[:, None, None]
    grain = np.random.default_rng(seed).normal(0, 0.02, (*SHAPE, 3))
    return (np.broadcast_to(stripes, (*SHAPE, 3)) + grain).clip(0, 1).astype(np.float32)


def photo_of(inside: np.ndarray, colour: tuple[float, float, float] = (0.8, 0.2, 0.25)) -> np.ndarray:
    return np.where(inside[..., None], np.float32(colour), ground())


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("radius", [21.5, 30.5])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_mask_too_small_or_too_large_is_put_right_on_a_striped_ground(radius, scale):
    """At three times the size the cut is made in a smaller picture."""
    true, given_mask = (np.kron(disc(r), np.ones((scale, scale))) > 0 for r in (26, radius))
    photo = np.repeat(np.repeat(photo_of(disc(26)), scale, 0), scale, 1)
    found = edge_cut(photo, given_mask, 6.0 * scale)
    assert overlap(given_mask, true) < 0.75
    assert overlap(found, true) > 0.97


def test_where_object_and_ground_are_alike_the_mask_stays():
    photo = np.full((*SHAPE, 3), 0.4, np.float32)
    assert overlap(edge_cut(photo, disc(26), 5.0), disc(26)) > 0.97


def test_a_thin_part_stays_though_the_small_picture_cannot_show_it():
    mask = disc(26)
    mask[44:46, 86:120] = True
    mask, photo = (np.repeat(np.repeat(each, 4, 0), 4, 1) for each in (mask, photo_of(mask)))
    mask[44 * 4 : 46 * 4] &= np.arange(8)[:, None] < 3  # three of 360 pixels thin
    found = edge_cut(photo, mask, 24.0)
    assert found[176:179, 90 * 4 : 119 * 4].all()


@settings(max_examples=20, deadline=None)
@given(st.floats(3, 30), st.floats(1.5, 8), st.integers(0, 3))
def test_no_edge_is_moved_farther_than_it_may_be_off(radius, reach, seed):
    """Whatever the photo shows: here nothing of the object at all."""
    mask = disc(radius)
    core, outside, depth = sure_parts(mask, reach)
    found = edge_cut(ground(seed), mask, reach)
    within = 1 + np.ceil(reach / 6)  # what the small picture cannot tell
    assert not (found & (depth < -reach - within)).any()
    assert (core | outside | (np.abs(depth) <= reach)).all()


@pytest.mark.parametrize("mask", [np.zeros(SHAPE, bool), np.ones(SHAPE, bool), disc(0.8), ~disc(0.8)])
def test_masks_with_hardly_an_edge_come_back(mask):
    found = edge_cut(photo_of(disc(26)), mask, 4.0)
    assert found.shape == mask.shape
    assert (found != mask).sum() < 60
