"""Holes continued by what repeats around them."""

import torch

from realedit.inpainting.completion import complete
from realedit.inpainting.fill import fill_smoothly
from realedit.inpainting.shift_map import Shift


def place(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return y, x


def picture(values: torch.Tensor) -> torch.Tensor:
    """Values (H, W) as a photo in two colours."""
    one, other = (torch.tensor(c)[:, None, None] for c in ((0.7, 0.2, 0.2), (0.9, 0.9, 0.85)))
    return (one + (other - one) * values)[None]


def disc(like: torch.Tensor, x: float, y: float, radius: float) -> torch.Tensor:
    rows, columns = place(*like.shape[-2:])
    return ((columns - x).square() + (rows - y).square() < radius**2).float()[None, None]


def without(photo: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    return torch.where(hole > 0.5, torch.tensor((0.1, 0.7, 0.2))[None, :, None, None], photo)


def error(filled: torch.Tensor, photo: torch.Tensor, hole: torch.Tensor) -> float:
    return float((filled - photo).abs()[(hole > 0.5).expand_as(photo)].mean())


NONE = torch.zeros(1, 1, 96, 128)


def test_what_repeats_in_whole_pixels_is_copied_exactly():
    y, x = place(96, 128)
    photo = picture((((x // 9) + (y // 8)) % 2).float())
    hole = disc(photo, 60, 50, 17)
    filled = complete(without(photo, hole), hole, NONE).image
    torch.testing.assert_close(filled, photo, atol=1e-4, rtol=0)


def test_a_floor_in_perspective_goes_on():
    y, x = place(96, 128)
    below = (y - 20).clamp(min=1)
    across, along = (x - 64) / below * 3, 160 / below
    photo = picture(torch.where(y > 26, ((across.floor() + along.floor()) % 2), 0.5))
    hole = disc(photo, 66, 62, 15)
    filled = complete(without(photo, hole), hole, NONE).image
    smooth = fill_smoothly(without(photo, hole), hole)
    assert error(filled, photo, hole) < 0.4 * error(smooth, photo, hole)


def test_nothing_is_copied_from_other_objects():
    photo = torch.full((1, 3, 96, 128), 0.6)
    other = disc(photo, 100, 50, 12)
    red = torch.tensor((0.9, 0.1, 0.1))[None, :, None, None]
    photo = torch.where(other > 0.5, red, photo)
    hole = disc(photo, 70, 50, 17)
    filled = complete(without(photo, hole), hole, other).image
    torch.testing.assert_close(filled[(hole > 0.5).expand_as(photo)], torch.tensor(0.6).expand(3 * int(hole.sum())))


def test_outside_the_hole_all_stays_and_without_surroundings_nothing_is_copied():
    photo = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    none, hole = torch.zeros(1, 1, 64, 80), torch.zeros(1, 1, 64, 80)
    assert torch.equal(complete(photo, hole, none).image, photo)
    hole[..., 20:40, 30:50] = 1
    filled = complete(photo, hole, none).image
    outside = (hole < 0.5).expand_as(photo)
    assert torch.equal(filled[outside], photo[outside])
    assert complete(photo, torch.ones_like(hole), none).confidence.max() == 0


def test_larger_pictures_are_continued_in_their_own_detail():
    y, x = place(352, 400)
    photo = picture(((x // 7) % 2 + (y // 60) % 2) / 2)
    hole = disc(photo, 190, 170, 40)
    filled = complete(without(photo, hole), hole, torch.zeros_like(hole)).image
    assert error(filled, photo, hole) < 0.02


def test_a_shift_copies_from_where_it_says():
    y, x = place(10, 14)
    shifted = Shift(2, -1, 0.5, 4.5)((x + 100 * y)[None, None])[0, 0]
    row, column = 4.5 - 1, 6.5 + 2 + 0.5 * (3.5 - 4.5)
    assert abs(float(shifted[4, 6]) - (column + 100 * row)) < 1e-3


def test_copies_are_trusted_where_they_match_all_around_and_their_rows():
    """Of a plain ground all is known, of level boards something, of noise nothing."""
    y, _ = place(96, 128)
    plain, boards = picture(torch.zeros(96, 128)), picture(((y // 8) % 2).float())
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    hole = disc(boards, 60, 50, 17)
    trusts = [complete(without(photo, hole), hole, NONE).confidence[hole > 0.5] for photo in (plain, boards, noise)]
    assert trusts[0].min() > 0.95
    assert trusts[1].min() > trusts[2].max()
    assert trusts[2].max() < 0.1


def test_copies_that_fit_alike_are_mixed():
    """Stripes go on across the hole, but whether the noise of this or that stretch of them nobody can say: a mean
    is nearer to the truth than any."""
    y, _ = place(96, 128)
    stripes = ((y // 8) % 2).expand(96, 128)
    noise = 0.06 * torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    photo = (0.5 * picture(stripes.float()) + 0.2 + noise).clamp(0, 1)
    hole = disc(photo, 60, 50, 17)
    filled = complete(without(photo, hole), hole, NONE).image
    inside = (hole > 0.5).expand_as(photo)
    clean = 0.5 * picture(stripes.float()) + 0.2
    assert (filled - clean)[inside].square().mean() < 0.7 * (photo - clean)[inside].square().mean()


def test_copies_that_are_unlike_each_other_are_trusted_less():
    """Stripes that are out of step left and right of the hole: in it they go on from one side or the other."""
    _, x = place(96, 128)
    hole, middle = ((x - 64).abs() < 14).float()[None, None], ((x - 64).abs() < 5)[None, None]
    even, torn = (x // 8) % 2, (x // 8 + (x > 64).float()) % 2
    trusts = [complete(without(picture(v.float()), hole), hole, NONE).confidence[middle].mean() for v in (even, torn)]
    assert trusts[1] < 0.5 * trusts[0]
