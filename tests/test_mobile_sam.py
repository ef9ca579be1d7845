"""MobileSAM: its network against the values of its authors' own program."""

import numpy as np
import pytest
import torch

from realedit.objects.mobile_sam import Prompt, SeenPicture

SIZE = 1024, 700  # width, height
PLACES = (330, 400), (330, 600), (50, 900)  # (row, column): in the middle of the egg, at its end, and beside it
CENTRE, NEARER_END, CORNER = (400 / 1024, 330 / 700), (300 / 1024, 330 / 700), (900 / 1024, 100 / 700)
BOX = (180 / 1024, 180 / 700, 620 / 1024, 480 / 700)
# What the authors' program says of the same picture, in float32: expected overlaps, and levels of the four masks at
# the three places.
EXPECTED = [
    (
        Prompt((CENTRE,)),
        (1.019, 1.020, 1.019, 0.892),
        ((12.25, 8.40, 18.07, 4.24), (13.07, 9.31, 19.30, 4.72), (-9.06, -14.48, -14.14, 1.24)),
    ),
    (
        Prompt((CENTRE,), (CORNER,)),
        (0.995, 1.015, 1.012, 0.864),
        ((15.33, 8.63, 15.14, 2.51), (15.60, 8.97, 14.81, 2.43), (-20.27, -16.90, -16.56, 0.74)),
    ),
    (
        Prompt(box=BOX),
        (0.992, 1.013, 1.012, 1.007),
        ((13.87, 10.26, 15.25, 19.96), (12.22, 8.73, 13.36, 17.14), (-14.30, -15.34, -18.30, -17.81)),
    ),
    (
        Prompt((NEARER_END,), box=BOX),
        (0.995, 1.009, 1.011, 1.007),
        ((15.81, 10.55, 16.66, 22.33), (13.81, 8.80, 14.50, 19.08), (-14.27, -14.30, -17.28, -17.83)),
    ),
]


@pytest.fixture(scope="module")
def egg() -> tuple[np.ndarray, np.ndarray]:
    """A picture (h, w, 3) uint8 of a shaded egg, and the egg (h, w)."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    across, down, none = x / SIZE[0], y / SIZE[1], 0.0 * x
    inside = ((x - 400) / 220) ** 2 + ((y - 330) / 150) ** 2 < 1
    ground = np.stack((80 + 100 * across, 150 - 60 * down, 60 + none), -1)
    colours = np.stack((40 + none, 60 + 80 * across, 190 - 60 * down), -1)
    return np.where(inside[..., None], colours, ground).round().astype(np.uint8), inside


@pytest.fixture(scope="module")
def seen(egg) -> SeenPicture:
    return SeenPicture(egg[0])


@pytest.mark.parametrize(("prompt", "overlaps", "levels"), EXPECTED)
def test_the_network_sees_what_its_authors_program_sees(seen, prompt, overlaps, levels):
    proposals = seen.proposals(prompt)
    assert proposals.levels.shape == (4, *SIZE[::-1])
    assert torch.allclose(proposals.overlaps, torch.tensor(overlaps), atol=0.01)  # weights are kept in half
    for (row, column), expected in zip(PLACES, levels, strict=True):
        assert torch.allclose(proposals.levels[:, row, column], torch.tensor(expected), atol=0.1)


def test_a_box_and_points_mean_the_egg(seen, egg):
    for prompt in (Prompt(box=BOX), Prompt((CENTRE,), (CORNER,))):
        found = seen.proposals(prompt).levels[0].numpy() > 0
        assert (found & egg[1]).sum() / (found | egg[1]).sum() > 0.98


def test_a_picture_that_lies_on_its_side_is_seen_alike(egg):
    """What fills up the square lies beside it then, not below."""
    turned = SeenPicture(np.ascontiguousarray(egg[0].swapaxes(0, 1)))
    box = BOX[1], BOX[0], BOX[3], BOX[2]
    found = turned.proposals(Prompt(box=box)).levels
    assert found.shape == (4, *SIZE)
    true = egg[1].T
    assert ((found[0].numpy() > 0) & true).sum() / ((found[0].numpy() > 0) | true).sum() > 0.98
