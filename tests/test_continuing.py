"""Holes continued by what repeats around them."""

import torch

from realedit.continuing import continued
from realedit.filling import fill
from realedit.shifts import Shift


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
    filled = continued(without(photo, hole), hole, NONE).photo
    torch.testing.assert_close(filled, photo, atol=1e-4, rtol=0)


def test_a_floor_in_perspective_goes_on():
    y, x = place(96, 128)
    below = (y - 20).clamp(min=1)
    across, along = (x - 64) / below * 3, 160 / below
    photo = picture(torch.where(y > 26, ((across.floor() + along.floor()) % 2), 0.5))
    hole = disc(photo, 66, 62, 15)
    filled = continued(without(photo, hole), hole, NONE).photo
    waves = fill(without(photo, hole), hole)
    assert error(filled, photo, hole) < 0.4 * error(waves, photo, hole)


def test_nothing_is_copied_from_other_objects():
    photo = torch.full((1, 3, 96, 128), 0.6)
    other = disc(photo, 100, 50, 12)
    red = torch.tensor((0.9, 0.1, 0.1))[None, :, None, None]
    photo = torch.where(other > 0.5, red, photo)
    hole = disc(photo, 70, 50, 17)
    filled = continued(without(photo, hole), hole, other).photo
    torch.testing.assert_close(filled[(hole > 0.5).expand_as(photo)], torch.tensor(0.6).expand(3 * int(hole.sum())))


def test_of_two_ways_to_go_on_the_guide_chooses():
    y, x = place(96, 128)
    stripes, plain = picture((x // 6) % 2), picture(torch.ones_like(x))
    photo = torch.where(x < 64, stripes, plain)  # where the stripes end, the hole hides
    hole = ((y > 30) & (y < 66) & (x > 42) & (x < 84)).float()[None, None]
    to_stripes, to_plain = (continued(without(photo, hole), hole, NONE, hint).photo for hint in (stripes, plain))
    assert error(to_stripes, stripes, hole) < 0.7 * error(to_plain, stripes, hole)
    assert error(to_plain, plain, hole) < 0.7 * error(to_stripes, plain, hole)


def test_outside_the_hole_all_stays_and_without_surroundings_the_guide_is_all_there_is():
    photo = torch.rand(1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    none, hole = torch.zeros(1, 1, 64, 80), torch.zeros(1, 1, 64, 80)
    assert torch.equal(continued(photo, hole, none).photo, photo)
    hole[..., 20:40, 30:50] = 1
    filled = continued(photo, hole, none).photo
    outside = (hole < 0.5).expand_as(photo)
    assert torch.equal(filled[outside], photo[outside])
    everything, guide = torch.ones_like(hole), torch.full_like(photo, 0.3)
    assert torch.equal(continued(photo, everything, none, guide).photo, guide)


def test_larger_pictures_are_continued_in_their_own_detail():
    y, x = place(352, 400)
    photo = picture(((x // 7) % 2 + (y // 60) % 2) / 2)
    hole = disc(photo, 190, 170, 40)
    filled = continued(without(photo, hole), hole, torch.zeros_like(hole)).photo
    assert error(filled, photo, hole) < 0.02


def test_a_shift_copies_from_where_it_says():
    y, x = place(10, 14)
    shifted = Shift(2, -1, 0.5, 4.5)((x + 100 * y)[None, None])[0, 0]
    row, column = 4.5 - 1, 6.5 + 2 + 0.5 * (3.5 - 4.5)
    assert abs(float(shifted[4, 6]) - (column + 100 * row)) < 1e-3


def test_copies_are_trusted_where_they_match_all_around_and_the_guide():
    """Checks repeat, as the guide says too; of noise nobody knows anything."""
    y, x = place(96, 128)
    checks = picture((((x // 9) + (y // 8)) % 2).float())
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    hole = disc(checks, 60, 50, 17)
    sure, unsure = (continued(without(photo, hole), hole, NONE, photo).trust[hole > 0.5] for photo in (checks, noise))
    assert sure.min() > 0.95
    assert unsure.max() < 0.1


def test_nothing_is_trusted_where_nothing_could_be_copied():
    everything = torch.ones(1, 1, 32, 48)
    guide = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    assert continued(torch.zeros(1, 3, 32, 48), everything, torch.zeros_like(everything), guide).trust.max() == 0


def test_copies_that_fit_alike_are_mixed():
    """Stripes go on across the hole, but whether the noise of this or that stretch of them nobody can say: a mean
    is nearer to the truth than any."""
    y, _ = place(96, 128)
    stripes = ((y // 8) % 2).expand(96, 128)
    noise = 0.06 * torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    photo = (0.5 * picture(stripes.float()) + 0.2 + noise).clamp(0, 1)
    hole = disc(photo, 60, 50, 17)
    filled = continued(without(photo, hole), hole, NONE).photo
    inside = (hole > 0.5).expand_as(photo)
    clean = 0.5 * picture(stripes.float()) + 0.2
    assert (filled - clean)[inside].square().mean() < 0.7 * (photo - clean)[inside].square().mean()
