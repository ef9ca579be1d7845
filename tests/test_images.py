"""Pictures as tensors: sizes and ranges."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realedit.files.photo import Photo
from realedit.images import WIDEST_BLUR, at_most, gaussian_blur, resize, to_bytes, working_size


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)


def test_tensor_and_back(rgb):
    tensor = Photo(rgb).tensor()
    assert tensor.shape == (1, 3, 70, 90)
    assert np.array_equal(to_bytes(tensor), rgb)


@given(st.integers(64, 8000), st.integers(64, 8000))
def test_working_size_keeps_area_and_aspect(width, height):
    w, h = working_size((width, height), 512, 64)
    assert w % 64 == 0
    assert h % 64 == 0
    if max(width, height) < 3 * min(width, height):
        assert w * h == pytest.approx(512 * 512, rel=0.25)
        assert w / h == pytest.approx(width / height, rel=0.25)


def test_native_photos_are_not_resampled():
    assert working_size((128, 128), 128, 16) == (128, 128)
    assert working_size((160, 96), 128, 16) == (160, 96)
    image = Photo(np.zeros((96, 160, 3), np.uint8)).tensor()
    assert resize(image, (160, 96)) is image


def test_the_longer_side_is_limited():
    assert at_most((4000, 3000), 768) == (768, 576)
    assert at_most((500, 300), 768) == (500, 300)
    assert at_most((9000, 5), 100) == (100, 1)


@pytest.mark.parametrize("widths", [(12, 3), (130, 3), (90, 250), (39.9, 39.9)])
def test_a_wide_blur_is_that_of_a_gaussian(widths):
    """Exactly up to a width that is cheap, and else nearly, up to the border, beyond which all is 0."""
    image = torch.from_numpy(np.random.default_rng(0).random((301, 407), np.float32)).square()
    image[:40, :60] = 5
    exact = cv2.GaussianBlur(image.numpy(), (0, 0), widths[0], sigmaY=widths[1], borderType=cv2.BORDER_CONSTANT)
    found = gaussian_blur(image, *widths).numpy()
    assert found.shape == exact.shape
    most = 0 if max(widths) <= WIDEST_BLUR else 0.01 * exact.max()
    assert np.abs(found - exact).max() <= most
