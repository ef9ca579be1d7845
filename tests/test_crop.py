"""The part of a photo that the model works on, and edits made in one: by hand, and end to end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realedit.editing.pipeline import edit
from realedit.editing.request import Hints
from realedit.edits import Move, Remove
from realedit.evaluation.metrics import encoder_distance
from realedit.files.photo import Photo
from realedit.geometry.boxes import mask_box
from realedit.geometry.crop import CLOSE_ZOOM, Crop, box_in_target, crop_around, leaving_crop, touched_boxes
from realedit.geometry.transform import IDENTITY, IDENTITY_MATRIX, GridWarp, Placement
from realedit.geometry.warp import warp
from realedit.settings import Settings
from tests.test_reading import wide_gamut

FEW = Settings(steps=4, method="ddim")
PART = Crop((1000, 500), (200, 100, 600, 300))


def test_points_by_hand():
    assert PART.extent == (400, 200)
    assert PART.to_crop((0.4, 0.4)) == pytest.approx((0.5, 0.5))
    assert PART.from_crop((0.5, 0.5)) == pytest.approx((0.4, 0.4))
    assert PART.to_crop((0.2, 0.2)) == pytest.approx((0, 0))


def disc(width: int, height: int, x: float, y: float, radius: float) -> torch.Tensor:
    gy, gx = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return (((gx - x) ** 2 + (gy - y) ** 2) <= radius**2).float()[None, None]


@pytest.mark.parametrize("turn", [IDENTITY_MATRIX, ((0.97, -0.1), (0.5, 0.979381443))])
def test_a_placement_does_the_same_in_a_part(turn):
    mask = disc(1000, 500, 310, 200, 40) + disc(1000, 500, 280, 150, 10)
    placement = Placement((0.3, 0.4), (0.45, 0.44), 1.3, turn)
    whole = warp(mask, placement)[..., 100:300, 200:600]
    part = warp(mask[..., 100:300, 200:600], PART.placement(placement))
    assert (whole - part).abs().max() < 1e-3


def test_a_bend_does_the_same_in_a_part():
    mask, box = disc(1000, 500, 310, 200, 40), (0.26, 0.3, 0.36, 0.5)
    across, down = np.linspace(box[0], box[2], 30), np.linspace(box[1], box[3], 30)
    sources = np.stack(np.meshgrid(across, down**1.1), -1)
    placement = Placement((0.3, 0.4), (0.45, 0.44), 1.3, grid_warp=GridWarp(box, sources))
    whole = warp(mask, placement)[..., 100:300, 200:600]
    part = warp(mask[..., 100:300, 200:600], PART.placement(placement))
    assert (whole - warp(mask, replace(placement, grid_warp=None))[..., 100:300, 200:600]).abs().max() > 0.5
    assert (whole - part).abs().max() < 1e-3


def test_an_arrival_does_the_same_in_a_part():
    """A disc of another photo, cut out of that too."""
    other, there = disc(800, 640, 400, 320, 60), Crop((800, 640), (300, 220, 500, 420))
    placement = Placement((0.5, 0.5), (0.4, 0.4), 0.8)
    whole = warp(other, placement, size=(1000, 500))[..., 100:300, 200:600]
    cut = other[..., 220:420, 300:500]
    part = warp(cut, PART.inserted_placement(leaving_crop(there, placement)), size=(400, 200))
    assert (whole - part).abs().mean() < 0.005
    box = box_in_target(mask_box(other), placement, (800, 640), (1000, 500))
    assert box == pytest.approx(mask_box((warp(other, placement, size=(1000, 500)) > 0.5).float()), abs=0.003)


@given(
    st.tuples(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.002, 0.4), st.floats(0.002, 0.4)),
    st.tuples(st.integers(64, 9000), st.integers(64, 9000)),
)
def test_frames_hold_what_is_touched_and_lie_in_the_photo(box, size):
    left, top, wide, high = box
    touched = (left, top, min(1.0, left + wide), min(1.0, top + high))
    frame = crop_around([touched], [touched], size, 128)
    x0, y0, x1, y1 = frame.box
    assert 0 <= x0 < x1 <= size[0]
    assert 0 <= y0 < y1 <= size[1]
    assert x0 <= touched[0] * size[0] + 1
    assert x1 >= touched[2] * size[0] - 1
    assert y0 <= touched[1] * size[1] + 1
    assert y1 >= touched[3] * size[1] - 1
    assert min(frame.extent) >= min(128, *size)


def test_small_things_in_large_photos_are_looked_at_closely():
    small = (0.50, 0.50, 0.53, 0.53)
    frame = crop_around([small], [small], (4000, 3000), 512)
    assert frame.extent == (520, 520)  # of 120 x 90 pixels the object takes a fifth, as a square of its area
    assert crop_around([small], [small], (400, 300), 512).is_whole
    corner = crop_around([(0.0, 0.0, 0.02, 0.02)], [(0.0, 0.0, 0.02, 0.02)], (4000, 3000), 512)
    assert corner.box == (0, 0, 512, 512)
    assert crop_around([small, (0.1, 0.1, 0.2, 0.9)], [small], (4000, 3000), 512).is_whole


def test_looks_are_drawn_from_nearer_even_if_pixels_are_enlarged():
    """An object of 30 by 30 pixels in a photo of the model's own size."""
    small = (0.5, 0.5, 0.55, 0.6)
    size = (600, 300)
    assert crop_around([small], [small], size, 512).is_whole
    frame = crop_around([small], [small], size, 512, CLOSE_ZOOM)
    assert frame.extent == (128, 128)  # the object would take 0.35 of 86 pixels; but none is enlarged above four times
    middle = (frame.box[0] + frame.box[2]) / 2, (frame.box[1] + frame.box[3]) / 2
    assert middle == (315, 165)
    assert crop_around([(0.1, 0.1, 0.9, 0.9)], [(0.1, 0.1, 0.9, 0.9)], size, 512, CLOSE_ZOOM).is_whole


def test_strips_are_seen_in_pieces():
    """A panorama: the part is no longer than twice its height where the object allows."""
    small = (0.5, 0.4, 0.505, 0.6)
    frame = crop_around([small], [small], (12000, 600), 512)
    assert frame.extent[0] <= 2 * frame.extent[1]
    assert frame.extent[1] >= 512


def test_what_is_touched_reaches_as_far_as_shadows():
    box = (0.2, 0.2, 0.4, 0.4)
    here, there = touched_boxes(box, [Placement((0.3, 0.3), (0.6, 0.3), 0.5)], 1.0)
    assert here == pytest.approx((0.0, 0.0, 0.6, 0.6))
    assert there == pytest.approx((0.45, 0.15, 0.75, 0.45))
    assert touched_boxes(box, [IDENTITY], 0.5)[1] == pytest.approx((0.1, 0.1, 0.5, 0.5))


def photo_with_disc(
    width: int, height: int, x: int, y: int, radius: int, *, deep: bool = False, profile: bytes | None = None
) -> tuple[Photo, torch.Tensor]:
    """A red disc on a grey gradient, and its mask."""
    mask = disc(width, height, x, y, radius)
    ramp = np.linspace(90, 170, width)[None, :, None] + np.zeros((height, 1, 3))
    rgb = np.where(mask[0, 0].numpy()[..., None] > 0, (200.0, 30.0, 40.0), ramp)
    values = (rgb * 257).astype(np.uint16) if deep else rgb.astype(np.uint8)
    return Photo(values, profile=profile), mask


def moved(model, photo: Photo, mask: torch.Tensor, by: tuple[float, float]):
    judge, hints = encoder_distance(model.encoder_features, ""), Hints({"thing": mask}, pitch=0.0)
    move = Move("thing", by=by)
    return edit(model, photo, "a photo of thing", move, hints=hints, settings=FEW, perceptual=judge)


@pytest.mark.parametrize("size", [(4000, 300), (300, 900)])
def test_a_small_object_of_a_large_photo_is_moved_and_all_else_kept(model, size):
    width, height = size
    photo, mask = photo_with_disc(width, height, width // 2, height // 2, 20)
    edited = moved(model, photo, mask, (60 / width, 15 / height))
    assert edited.photo.size == size
    outside = edited.editable[0, 0].numpy() < 0.5
    assert outside.mean() > 0.9
    assert np.array_equal(edited.photo.rgb[outside], photo.rgb[outside])
    x, y = width // 2 + 60, height // 2 + 15
    assert edited.photo.rgb[y, x, 0] > 180
    assert edited.photo.rgb[y, x, 1] < 60
    assert abs(int(edited.photo.rgb[height // 2, width // 2 - 10, 1]) - 130) < 25  # where it was, the ground
    assert edited.report.objects[0].asked_position == pytest.approx((x / width, y / height), abs=0.003)
    assert edited.report.objects[0].asked_size == pytest.approx(float(mask.mean()), rel=0.1)


def test_sixteen_bits_and_wide_colours_are_kept_through_an_edit(model):
    profile = wide_gamut()
    photo, mask = photo_with_disc(400, 300, 150, 150, 24, deep=True, profile=profile)
    edited = moved(model, photo, mask, (0.25, 0.0))
    result = edited.photo
    assert result.rgb.dtype == np.uint16
    assert result.profile == profile
    outside = edited.editable[0, 0].numpy() < 0.5
    assert np.array_equal(result.rgb[outside], photo.rgb[outside])
    # The moved disc is the photo's own, to less than one of 256 levels: it never went through sRGB.
    assert np.abs(result.rgb[150, 250].astype(int) - photo.rgb[150, 150]).max() < 257


def test_transparency_moves_with_its_object(model):
    """A product shot that is cut out already: a disc on nothing."""
    photo, mask = photo_with_disc(400, 300, 150, 150, 24)
    alpha = (mask[0, 0].numpy() * 255).astype(np.uint8)
    edited = moved(model, Photo(photo.rgb, alpha), mask, (0.25, 0.0))
    assert edited.photo.alpha is not None
    assert edited.photo.alpha[150, 150] == 0
    assert edited.photo.alpha[150, 250] == 255
    assert edited.photo.alpha[20, 20] == 0
    assert abs(int((edited.photo.alpha > 127).sum()) - int((alpha > 127).sum())) < 120
    assert edited.photo.rgb[150, 250, 0] > 180


def test_a_grey_photo_gives_a_grey_result(model):
    from dataclasses import replace

    from realedit.files.photo import Origin

    photo, mask = photo_with_disc(256, 192, 100, 96, 18)
    grey = replace(photo, rgb=np.repeat(photo.rgb[..., :1], 3, -1), origin=Origin("PNG", grey=True))
    judge, hints = encoder_distance(model.encoder_features, ""), Hints({"thing": mask}, pitch=0.0)
    gone = Remove("thing")
    edited = edit(model, grey, "a photo of thing", gone, hints=hints, settings=FEW, perceptual=judge)
    assert np.array_equal(edited.photo.rgb[..., 0], edited.photo.rgb[..., 2])


def test_too_large_for_the_memory_is_said_before_it_is_taken(model, monkeypatch):
    from inversion import main_memory
    from inversion.errors import RealEditError

    photo, mask = photo_with_disc(400, 300, 150, 150, 24)
    monkeypatch.setattr(main_memory, "free_bytes", lambda: 10_000_000)
    with pytest.raises(RealEditError, match=r"needs about 0\.0 GB of memory, 0\.0 GB are free; make the photo smaller"):
        moved(model, photo, mask, (0.25, 0.0))
