"""From where each cell of an edit comes, on maps of any size."""

import pytest
import torch

from realedit.geometry.correspondence import Correspondence, Origin, identity_points
from realedit.geometry.transform import Placement

HEIGHT, WIDTH = 48, 80


def box(left: int, top: int, right: int, bottom: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., top:bottom, left:right] = 1
    return mask


def shifted_by(pixels: int) -> Placement:
    return Placement((0.25, 0.5), (0.25 + pixels / WIDTH, 0.5))


def test_points_are_pixel_centres():
    points = identity_points(torch.zeros(1, 3, 2, 4))
    assert points[0, 0].tolist() == [[0.125, 0.375, 0.625, 0.875]] * 2
    assert points[0, 1].tolist() == [[0.25] * 4, [0.75] * 4]


@pytest.mark.parametrize("cell", [1, 4, 8])
@pytest.mark.parametrize("nearest", [False, True])
def test_a_moved_object_reads_its_old_cells(cell, nearest):
    """A shift of whole cells copies them exactly; all else reads itself."""
    source = box(8, 16, 24, 32)
    moved = Correspondence([Origin.of_placement(source, shifted_by(32))], None)
    cells = moved.at((HEIGHT // cell, WIDTH // cell))
    maps = torch.randn(1, 5, HEIGHT // cell, WIDTH // cell)
    carried = cells.carry(maps, nearest=nearest)
    expected = maps.clone()
    rows = slice(16 // cell, 32 // cell)
    expected[..., rows, 40 // cell : 56 // cell] = maps[..., rows, 8 // cell : 24 // cell]
    torch.testing.assert_close(carried, expected, atol=1e-4, rtol=1e-4)
    assert cells.objects.sum() == 16 * 16 / cell**2
    assert not cells.filled.any()


def test_an_enlarged_object_keeps_its_anchor_and_reads_finer():
    grown = Origin.of_placement(box(20, 20, 30, 30), Placement((0.3125, 0.625), (0.3125, 0.625), 2.0))
    assert grown.mask.sum() == pytest.approx(400, abs=40)
    x = grown.points[0, 0, 30]  # about the anchor at 25 pixels a step of a pixel reads half a pixel on
    assert x[25] - x[23] == pytest.approx(1 / WIDTH, abs=1e-4)
    assert (x[24] + x[25]) / 2 == pytest.approx(0.3125, abs=1e-4)


def test_an_old_place_reads_elsewhere_but_where_the_object_reaches():
    hole, points = box(8, 16, 24, 32), identity_points(torch.zeros(1, 1, HEIGHT, WIDTH))
    from_right = torch.where(hole > 0.5, points + torch.tensor((32 / WIDTH, 0.0))[None, :, None, None], points)
    object_ = Origin.of_placement(box(8, 16, 24, 32), shifted_by(8))
    cells = Correspondence([object_], Origin(from_right, hole)).at((HEIGHT // 4, WIDTH // 4))
    maps = torch.randn(1, 2, HEIGHT // 4, WIDTH // 4)
    carried = cells.carry(maps)
    torch.testing.assert_close(carried[..., 4:8, 2:4], maps[..., 4:8, 10:12], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(carried[..., 4:8, 4:8], maps[..., 4:8, 2:6], atol=1e-4, rtol=1e-4)
    assert not (cells.filled * cells.objects).any()
    assert torch.equal(cells.changed, cells.filled + cells.objects)


def test_what_is_set_down_later_is_in_front():
    one, two = (
        Origin.of_placement(box(8, 16, 24, 32), shifted_by(32)),
        Origin.of_placement(box(56, 16, 72, 32), shifted_by(-16)),
    )
    maps = torch.randn(1, 1, HEIGHT // 8, WIDTH // 8)
    size = tuple(maps.shape[-2:])
    first = Correspondence((two, one), None).at(size).carry(maps)[..., 2:4, 5:7]
    second = Correspondence((one, two), None).at(size).carry(maps)[..., 2:4, 5:7]
    torch.testing.assert_close(first, maps[..., 2:4, 1:3], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(second, maps[..., 2:4, 7:9], atol=1e-4, rtol=1e-4)


def test_what_would_come_from_outside_the_frame_is_not_there():
    leaving = Origin.of_placement(box(0, 16, 24, 32), Placement((0.1, 0.5), (0.0, 0.5)))
    assert leaving.mask[..., 24 - 8 :].sum() == 0
    assert leaving.mask[..., 16:32, :16].all()
