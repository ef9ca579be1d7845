"""From where each cell of an edit comes, on maps of any size, and how a photo looks where objects are set down."""

import pytest
import torch

from realedit.geometry.correspondence import Arrival, Correspondence, Origin, identity_points, warped_photo
from realedit.geometry.transform import Placement

HEIGHT, WIDTH = 48, 80


def box(left: int, top: int, right: int, bottom: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., top:bottom, left:right] = 1
    return mask


def shifted_by(pixels: int) -> Placement:
    return Placement((0.25, 0.5), (0.25 + pixels / WIDTH, 0.5))


def from_right(hole: torch.Tensor, pixels: int) -> Origin:
    points = identity_points(hole)
    return Origin(
        torch.where(hole > 0.5, points + torch.tensor((pixels / WIDTH, 0.0))[None, :, None, None], points), hole
    )


def test_points_are_pixel_centres():
    points = identity_points(torch.zeros(1, 3, 2, 4))
    assert points[0, 0].tolist() == [[0.125, 0.375, 0.625, 0.875]] * 2
    assert points[0, 1].tolist() == [[0.25] * 4, [0.75] * 4]


def test_around_a_moved_object_all_of_the_photo_has_moved():
    """Not just the object: nothing is cut out. What is empty then is the photo's own."""
    photo = torch.rand(1, 3, HEIGHT, WIDTH)
    arrival = Arrival.of(box(8, 16, 24, 32), shifted_by(32))
    assert torch.equal(arrival.mask, box(40, 16, 56, 32))
    warped = warped_photo(photo, [arrival])
    torch.testing.assert_close(warped[..., 32:], photo[..., : WIDTH - 32], atol=1e-5, rtol=1e-5)
    assert torch.equal(warped[..., :32], photo[..., :32])


def test_each_place_sees_the_photo_as_the_nearest_arrival_and_where_they_cover_each_other_the_front_one():
    photo = torch.rand(1, 3, HEIGHT, WIDTH)
    right, left = Arrival.of(box(8, 16, 24, 32), shifted_by(48)), Arrival.of(box(40, 16, 56, 32), shifted_by(-32))
    both = warped_photo(photo, [right, left])
    torch.testing.assert_close(both[..., 8:24], photo[..., 40:56], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(both[..., 56:72], photo[..., 8:24], atol=1e-5, rtol=1e-5)
    one, two = Arrival.of(box(8, 16, 24, 32), shifted_by(32)), Arrival.of(box(56, 16, 72, 32), shifted_by(-16))
    for order in ((one, two), (two, one)):
        front = warped_photo(photo, order)[..., 16:32, 40:56]
        torch.testing.assert_close(front, warped_photo(photo, order[:1])[..., 16:32, 40:56])


def test_what_would_come_from_outside_the_frame_is_not_there():
    leaving = Arrival.of(box(0, 16, 24, 32), Placement((0.1, 0.5), (0.0, 0.5)))
    assert leaving.mask[..., 24 - 8 :].sum() == 0
    assert leaving.mask[..., 16:32, :16].all()


@pytest.mark.parametrize("cell", [1, 4, 8])
@pytest.mark.parametrize("nearest", [False, True])
def test_objects_read_the_warped_photo_and_all_else_itself(cell, nearest):
    size = (HEIGHT // cell, WIDTH // cell)
    cells = Correspondence(box(40, 16, 56, 32), None).at(size)
    maps, warped = torch.randn(2, 1, 5, *size)
    expected = maps.clone()
    rows, columns = slice(16 // cell, 32 // cell), slice(40 // cell, 56 // cell)
    expected[..., rows, columns] = warped[..., rows, columns]
    torch.testing.assert_close(cells.carry(maps, warped, nearest=nearest), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(cells.carry(maps, None, nearest=nearest), maps, atol=1e-4, rtol=1e-4)
    assert cells.objects.sum() == 16 * 16 / cell**2
    assert not cells.filled.any()


def test_an_old_place_reads_elsewhere_but_where_an_object_reaches():
    cells = Correspondence(box(16, 16, 32, 32), from_right(box(8, 16, 24, 32), 32)).at((HEIGHT // 4, WIDTH // 4))
    maps, warped = torch.randn(2, 1, 2, HEIGHT // 4, WIDTH // 4)
    carried = cells.carry(maps, warped)
    torch.testing.assert_close(carried[..., 4:8, 2:4], maps[..., 4:8, 10:12], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(carried[..., 4:8, 4:8], warped[..., 4:8, 4:8], atol=1e-4, rtol=1e-4)
    assert not (cells.filled * cells.objects).any()
    assert torch.equal(cells.changed, cells.filled + cells.objects)
