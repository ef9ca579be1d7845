"""What is like nothing around it in a filled hole is found, and filled again."""

import pytest
import torch

from realedit.editing.drawn_plate import STRANGE, fill_without_inventions, least_strange
from realedit.inpainting.coherence import COMPARED_AT_ONCE, incoherence, squared_distances
from realedit.inpainting.migan import draw_hole, views_of
from realedit.inpainting.photo_fill import Sketch
from realedit.inpainting.sketch_fill import fill_like

GREY_TO_WHITE = 100 - 53.39  # L* of 1 and of 0.5 in sRGB
RED = torch.tensor((0.9, 0.1, 0.1)).reshape(1, 3, 1, 1)


def box(height: int, width: int, top: int, bottom: int, left: int, right: int) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top:bottom, left:right] = 1
    return mask


def grainy(height: int, width: int) -> torch.Tensor:
    noise = torch.randn(1, 1, height, width, generator=torch.Generator().manual_seed(3))
    return (0.5 + 0.03 * noise).clamp(0, 1).expand(1, 3, -1, -1).contiguous()


def test_white_in_grey_is_as_far_as_white_is_from_grey():
    hole = box(60, 100, 20, 50, 30, 60)
    found = incoherence(0.5 + 0.5 * hole.expand(-1, 3, -1, -1), hole, torch.zeros_like(hole))
    assert found.shape == hole.shape
    assert found[..., 30:40, 40:50].mean() == pytest.approx(GREY_TO_WHITE, abs=0.2)
    assert not found[hole < 0.5].any()


@pytest.mark.parametrize("scale", [1, 4])
def test_what_is_somewhere_around_is_not_strange_unless_it_is_another_object(scale):
    size = (60 * scale, 120 * scale)
    hole, white = (box(*size, *(scale * n for n in sides)) for sides in ((20, 50, 30, 60), (10, 45, 80, 115)))
    picture = (0.5 + 0.5 * torch.maximum(hole, white)).expand(-1, 3, -1, -1)
    middle = (slice(None), slice(None), slice(30 * scale, 40 * scale), slice(40 * scale, 50 * scale))
    assert incoherence(picture, hole, torch.zeros_like(hole))[middle].max() < 1
    assert incoherence(picture, hole, white)[middle].mean() == pytest.approx(GREY_TO_WHITE, abs=0.5)


def test_each_patch_is_compared_with_the_one_that_is_nearest():
    random = torch.Generator().manual_seed(5)
    ours, theirs = (30 * torch.randn(COMPARED_AT_ONCE + 30, n, generator=random) for n in (24, 24))
    theirs[17] = ours[3]
    found = torch.from_numpy(squared_distances(ours.numpy(), theirs.numpy()))
    assert found[3] == 0
    torch.testing.assert_close(
        found.double(), torch.cdist(ours.double(), theirs.double()).min(1).values ** 2, rtol=1e-5, atol=0.01
    )


def test_nothing_is_asked_where_there_is_no_hole_or_nothing_around():
    photo = grainy(40, 50)
    for hole in (torch.zeros(1, 1, 40, 50), torch.ones(1, 1, 40, 50)):
        assert not incoherence(photo, hole, torch.zeros_like(hole)).any()


def test_copies_do_not_follow_what_is_not_trusted():
    photo, hole = grainy(48, 64), box(48, 64, 14, 30, 20, 40)
    red = torch.where(hole > 0.5, RED, photo)
    right = box(48, 64, 0, 48, 30, 64)
    filled = fill_like(photo, hole, torch.zeros_like(hole), 0, Sketch(red, 1.0, trust=1 - right))
    assert filled[..., 16:28, 21:26].mean((0, 2, 3)) == pytest.approx(RED.flatten().tolist(), abs=0.04)
    assert filled[..., 16:28, 34:39].mean((0, 2, 3)) == pytest.approx((0.5, 0.5, 0.5), abs=0.04)
    wholly = fill_like(photo, hole, torch.zeros_like(hole), 0, Sketch(red, 1.0, trust=torch.ones_like(hole)))
    assert torch.equal(wholly, fill_like(photo, hole, torch.zeros_like(hole), 0, Sketch(red, 1.0)))


def test_what_was_made_up_is_filled_as_the_photo_goes_on():
    photo, hole = grainy(48, 64), box(48, 64, 14, 30, 20, 40)
    none = torch.zeros_like(hole)
    filled = fill_without_inventions(photo, hole, none, 0, Sketch(torch.where(hole > 0.5, RED, photo), 1.0))
    assert torch.equal(filled[(hole < 0.5).expand_as(photo)], photo[(hole < 0.5).expand_as(photo)])
    assert filled[..., 16:28, 22:38].mean((0, 2, 3)) == pytest.approx((0.5, 0.5, 0.5), abs=0.04)


def test_what_the_photo_has_is_filled_as_it_was_drawn():
    photo = grainy(48, 64)
    photo[..., 40:] = torch.where(torch.ones_like(photo[..., 40:]) > 0, RED, 0)
    hole, none = box(48, 64, 14, 30, 18, 32), torch.zeros(1, 1, 48, 64)
    sketch = Sketch(torch.where(hole > 0.5, RED, photo), 1.0)
    assert torch.equal(fill_without_inventions(photo, hole, none, 0, sketch), fill_like(photo, hole, none, 0, sketch))


def test_the_drawing_that_is_most_like_the_photo_is_taken():
    hole = box(48, 64, 10, 40, 14, 50)
    none, tiles = torch.zeros_like(hole), torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    photo = tiles.repeat_interleave(8, -2).repeat_interleave(8, -1)
    drawings = [draw_hole(photo, hole, none, view).image for view in views_of(hole, none)]
    off = [float(incoherence(each, hole, none)[hole > 0.5].mean()) for each in drawings]
    assert min(off) > STRANGE, "no tile is like another"
    best = least_strange(photo, hole, none).image
    least = float(incoherence(best, hole, none)[hole > 0.5].mean())
    assert least <= min(off)
    assert torch.equal(best, drawings[off.index(min(off))]) == (least == min(off))
    assert torch.equal(best[(hole < 0.5).expand_as(best)], photo[(hole < 0.5).expand_as(best)])


def test_what_is_drawn_coarsely_is_drawn_into_a_smaller_photo():
    """As it is into the photo itself, but for what is finer than the network draws."""
    rows, columns = torch.meshgrid(torch.arange(900), torch.arange(1200), indexing="ij")
    photo = (0.5 + 0.2 * torch.sin(columns / 90) * torch.cos(rows / 70)).expand(1, 3, 900, 1200).contiguous()
    hole = box(900, 1200, 250, 650, 300, 900)
    none = torch.zeros_like(hole)
    drawn, chosen = draw_hole(photo, hole, none), least_strange(photo, hole, none)
    assert chosen.detail == pytest.approx(drawn.detail, rel=0.01)
    assert chosen.detail > 2
    outside = (hole < 0.5).expand_as(photo)
    assert torch.equal(chosen.image[outside], photo[outside])
    assert float((chosen.image - drawn.image).abs()[~outside].mean()) < 0.01


def test_what_is_like_the_photo_in_every_small_part_alone_is_strange_from_afar():
    """Narrower stripes than the photo has: a patch shows one edge of them from near, two from afar."""
    wide, narrow = (((torch.arange(240) // n % 2).float() * 0.8 + 0.1).expand(1, 3, 240, 240) for n in (60, 24))
    hole = box(240, 240, 80, 160, 80, 160)

    def off(picture: torch.Tensor, *, afar: bool) -> float:
        found = incoherence(torch.where(hole > 0.5, picture, wide), hole, torch.zeros_like(hole), afar=afar)
        return float(found[..., 100:140, 100:140].mean())

    assert off(wide, afar=False) < 1
    assert off(wide, afar=True) < 1
    assert off(narrow, afar=False) < 2
    assert off(narrow, afar=True) > 5
