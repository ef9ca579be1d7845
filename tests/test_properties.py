"""Centroid, size, shape and appearance: hand-computed values and the mistakes of earlier code."""

import pytest
import torch

from inversion.properties import above_floor, appearance, centroid, normalise, shape, size


def blob(height=16, width=24, top=4, left=15, tall=3, wide=5, value=1.0):
    maps = torch.zeros(height, width)
    maps[top : top + tall, left : left + wide] = value
    return maps


def test_centroid_of_one_cell_off_the_diagonal():
    maps = torch.zeros(16, 24)
    maps[3, 20] = 0.2
    torch.testing.assert_close(centroid(maps), torch.tensor([20.5 / 24, 3.5 / 16]))


def test_centroid_does_not_depend_on_resolution_or_scale():
    coarse = torch.rand(8, 12)
    fine = coarse.repeat_interleave(4, 0).repeat_interleave(4, 1)
    torch.testing.assert_close(centroid(coarse), centroid(0.37 * fine))


def test_centroid_of_an_empty_map_is_finite():
    assert torch.isfinite(centroid(torch.zeros(4, 6))).all()


def test_size_of_a_blob_is_its_area():
    assert size(blob()).item() == pytest.approx(15 / (16 * 24), abs=1e-4)


def test_area_does_not_change_when_a_token_is_fainter():
    assert size(0.4 * blob()).item() == pytest.approx(size(blob()).item(), rel=1e-2)


def test_another_token_changes_nothing():
    """Extremes are taken for every map on its own, never jointly or across tokens."""
    together = torch.stack((blob(value=0.1), torch.rand(16, 24) * 5))
    torch.testing.assert_close(shape(together)[0], shape(blob(value=0.1)))
    torch.testing.assert_close(size(together)[0], size(blob(value=0.1)))


def test_shape_is_a_soft_mask():
    values = shape(torch.rand(3, 16, 24))
    assert values.min() >= 0
    assert values.max() <= 1
    torch.testing.assert_close(shape(blob()), blob(), atol=1e-3, rtol=0)


def test_normalise_of_a_constant_map_is_zero():
    assert torch.equal(normalise(torch.full((4, 6), 0.3)), torch.zeros(4, 6))


def test_what_a_map_has_everywhere_is_taken_off():
    maps = torch.full((2, 4, 5), 0.3)
    maps[0, 1, 3], maps[1, 2, 0] = 0.9, 0.5
    above = above_floor(maps)
    expected = torch.zeros(2, 4, 5)
    expected[0, 1, 3], expected[1, 2, 0] = 0.6, 0.2
    torch.testing.assert_close(above, expected)
    assert above_floor(torch.full((4, 5), 0.3)).sum() == 0


def test_appearance_is_the_mean_over_the_object_for_every_channel():
    features = torch.stack((torch.full((16, 24), 2.0), torch.arange(24.0).expand(16, 24)))
    torch.testing.assert_close(appearance(features, blob()), torch.tensor([2.0, 17.0]))


def test_appearance_sees_changes_that_keep_the_mean_over_channels():
    features = torch.zeros(2, 16, 24)
    swapped = torch.stack((features[0] + 1, features[1] - 1))
    assert (appearance(features, blob()) - appearance(swapped, blob())).abs().sum() > 1


def test_appearance_resizes_the_mask_and_stops_its_gradient():
    mask = torch.rand(8, 12, requires_grad=True)
    features = torch.rand(3, 16, 24, requires_grad=True)
    appearance(features, mask).sum().backward()
    assert mask.grad is None
    assert features.grad is not None


@pytest.mark.parametrize("of", [centroid, above_floor, size, lambda m: shape(m).square().sum((-2, -1))])
def test_gradients_are_right(of):
    maps = torch.rand(2, 5, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(of, maps)
