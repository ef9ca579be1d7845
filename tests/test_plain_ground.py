"""Holes in a plain ground go on in its tones, and nothing else."""

import numpy as np
import pytest
import torch

import realedit
from realedit import edits
from realedit.editing.request import Hints
from realedit.files.photo import Photo
from realedit.inpainting.filler import AutomaticFill
from realedit.inpainting.plain_ground import fill_plainly, is_mostly_plain, is_plain
from tests.test_photo_edit import SQUARES

HEIGHT, WIDTH = 150, 200
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
BALL = np.hypot(COLUMNS - 80, ROWS - 80) < 25
SHADOW = (np.square((COLUMNS - 115) / 35) + np.square((ROWS - 101) / 6) < 1) & ~BALL
HOLE = torch.from_numpy(np.hypot(COLUMNS - 80, ROWS - 80) < 29).float()[None, None]


def backdrop(grain: float = 0.004) -> np.ndarray:
    """Light that falls off to one side (H, W, 3), in [0, 1]."""
    light = 0.93 - 0.12 * np.square(COLUMNS / WIDTH) - 0.05 * ROWS / HEIGHT
    noise = np.random.default_rng(0).normal(0, grain, (HEIGHT, WIDTH, 3))
    return light[..., None] * np.array([1.0, 0.98, 0.96]) + noise


def picture(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().clamp(0, 1)


def test_soft_tones_and_grain_are_plain():
    assert is_plain(picture(backdrop()), HOLE)


@pytest.mark.parametrize(
    ("where", "mostly"), [(ROWS > 90, True), (COLUMNS % 8 < 4, False)], ids=["a horizon", "stripes"]
)
def test_what_has_edges_is_not(where, mostly):
    photo = backdrop()
    photo[where] -= 0.2
    assert not is_plain(picture(photo), HOLE)
    assert is_mostly_plain(picture(photo), HOLE) == mostly


def test_nor_is_texture_or_what_is_not_seen():
    assert not is_plain(picture(backdrop(grain=0.05)), HOLE)
    assert not is_plain(picture(backdrop()), torch.ones_like(HOLE))
    assert not is_plain(picture(backdrop()), torch.zeros_like(HOLE))


def test_tones_and_grain_go_on():
    truth, photo = backdrop(), backdrop()
    photo[BALL] = (0.8, 0.1, 0.1)
    filled = fill_plainly(picture(photo), HOLE, torch.zeros_like(HOLE), 0)[0].permute(1, 2, 0).numpy()
    inside = HOLE[0, 0].numpy() > 0.5
    off = (filled - truth)[inside]
    assert abs(off.mean()) < 0.004
    assert np.abs(off).mean() < 0.012
    smooth = filled - backdrop(grain=0)
    assert 0.002 < np.diff(smooth, axis=1)[inside[:, 1:]].std() < 0.01, "grain of 0.004 differs by 0.0057"
    assert np.array_equal(filled[~inside], np.float32(photo)[~inside])


def ball_on(photo: np.ndarray, model, edit: edits.Edit):
    """An edit of a ball in a photo (H, W, 3) in [0, 1]."""
    photo[BALL] = (0.8, 0.1, 0.1)
    given = Photo((photo * 255).round().clip(0, 255).astype(np.uint8))
    hints = Hints({"ball": torch.from_numpy(BALL).float()[None, None]}, pitch=0.0)
    return realedit.edit(model, given, "a photo of a ball", edit, hints=hints, perceptual=SQUARES, fill=AutomaticFill())


def test_a_faint_shadow_goes_with_its_object(model):
    """It takes no more than eight hundredths of the light."""
    photo = backdrop()
    photo[SHADOW] *= 0.92
    removed = ball_on(photo, model, edits.Remove("ball"))
    assert removed.report.fill is not None
    assert removed.report.fill.name == "soft tones, with the photo's grain"
    left = removed.photo.rgb / 255 - backdrop(grain=0)
    assert abs(left[SHADOW].mean()) < 0.012
    assert abs(left[BALL].mean()) < 0.012


def test_without_one_nothing_else_is_touched(model):
    moved = ball_on(backdrop(), model, edits.Move("ball", by=(60 / WIDTH, 0)))
    near = np.minimum(np.hypot(COLUMNS - 80, ROWS - 80), np.hypot(COLUMNS - 140, ROWS - 80)) < 36
    assert not (moved.editable[0, 0].numpy() > 0.5)[~near].any()


def test_what_stands_beside_an_object_is_no_shadow_of_it(model):
    """A dark post that touches the ball stays, down to its foot."""
    photo, post = backdrop(), (COLUMNS >= 104) & (COLUMNS < 112) & (ROWS >= 50) & (ROWS < 114)
    photo[post] *= 0.6
    removed = ball_on(photo, model, edits.Remove("ball"))
    beyond = post & (np.hypot(COLUMNS - 80, ROWS - 80) > 36)  # what masks may miss at edges is filled
    assert np.abs(removed.photo.rgb / 255 - photo)[beyond].mean() < 0.01
