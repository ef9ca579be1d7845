"""Masks as shapes, against what the words mean, pixel by pixel."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from realedit.morphology import dilate, union

MASKS = st.tuples(st.integers(1, 9), st.integers(1, 12)).flatmap(lambda size: arrays(bool, size))


def as_mask(inside: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(inside).float()[None, None]


@settings(max_examples=60)
@given(MASKS, st.sampled_from((0.0, 0.1, 0.3, 0.5, 1.5)))
def test_what_is_dilated_is_all_within_that_distance_and_what_is_eroded_all_farther_from_outside(inside, fraction):
    radius, places = fraction * min(inside.shape), np.argwhere(np.ones_like(inside))
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    near = (apart[:, inside.ravel()].min(1, initial=np.inf) <= radius).reshape(inside.shape)
    assert np.array_equal(dilate(as_mask(inside), fraction)[0, 0].numpy() > 0.5, near)
    if fraction:
        deep = (apart[:, ~inside.ravel()].min(1, initial=np.inf) > radius).reshape(inside.shape)
        assert np.array_equal(dilate(as_mask(inside), -fraction)[0, 0].numpy() > 0.5, deep)


@given(MASKS, st.randoms(use_true_random=False))
def test_a_union_has_what_any_has(inside, random):
    others = [inside & (np.array([[random.random() < 0.5] * inside.shape[1]] * inside.shape[0])) for _ in range(2)]
    photo = torch.rand(1, 3, *inside.shape)
    assert torch.equal(union([as_mask(o) for o in others], photo), as_mask(others[0] | others[1]))
    assert not union([], photo).any()
