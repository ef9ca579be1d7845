"""Pasting back at full size, regions, and the masks that they are made of."""

import numpy as np
import pytest
import torch

from inversion.errors import EditError
from realedit.compositing.composite import Composite, compose
from realedit.compositing.effects import Effects
from realedit.compositing.paste_back import paste_back, paste_regenerated
from realedit.compositing.scene import LayeredScene
from realedit.compositing.separation import CleanPlate, match_tones, separate
from realedit.files.photo import Photo
from realedit.geometry.boxes import box_mask, mask_box, mask_centre
from realedit.geometry.transform import IDENTITY, Placement
from realedit.images import to_bytes
from realedit.morphology import dilate, feather
from realedit.objects.segmentation import object_mask
from tests.object_edits import object_edit


def disc(height=96, width=128, x=40, y=50, radius=12):
    gy, gx = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (((gx - x) ** 2 + (gy - y) ** 2) <= radius**2).float()[None, None]


def test_growing_by_hand():
    mask = torch.zeros(1, 1, 20, 40)
    mask[..., 10, 10] = 1
    assert dilate(mask, 0.1).sum() == 13  # the cells within 2 of 20 pixels
    assert torch.equal(dilate(dilate(disc(), 0.05), -0.05) * disc(), disc())
    assert dilate(torch.zeros(1, 1, 8, 8), 0.2).sum() == 0


def test_feather_is_zero_outside_and_one_inside():
    share = feather(disc(), 0.05)
    assert torch.equal(share * (1 - disc()), torch.zeros_like(share))
    assert share[0, 0, 50, 40] == 1
    edge = share[0, 0, 50, 28]
    assert 0 < edge < 0.5


def test_the_photos_own_edge_is_not_feathered():
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., :20] = 1
    share = feather(mask, 0.1)
    assert (share[..., 0] == 1).all()
    assert (feather(torch.ones(1, 1, 10, 12), 0.2) == 1).all()


@pytest.mark.parametrize("size", [(96, 128), (131, 203)])
def test_pixels_outside_the_touched_region_are_the_photos_bytes(size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    touched, picture = disc(*size), torch.rand(1, 3, *size)
    wanted = Composite(picture, (), (), hole=touched, covered=touched, moved=touched, editable=touched)
    models = torch.rand(1, 3, 48, 64), torch.rand(1, 3, 48, 64)
    for pasted in (
        paste_back(Photo(photo), wanted, 0.02),
        paste_regenerated(Photo(photo), models, touched, disc(48, 64, 20, 25, 6), 0.02),
    ):
        result = Photo(photo).painted(pasted, touched).rgb
        outside = touched[0, 0].numpy() < 0.5
        assert np.array_equal(result[outside], photo[outside])
        assert not np.array_equal(result[~outside], photo[~outside])


def test_where_the_model_changed_nothing_the_photo_keeps_its_own_detail():
    """However coarse the model's view is; where it drew anew its picture is seen."""
    photo = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    everywhere, drawn = torch.ones(1, 1, 96, 128), torch.zeros(1, 1, 48, 64)
    drawn[..., :24] = 1
    view = torch.full((1, 3, 48, 64), 0.25)
    result = to_bytes(paste_regenerated(Photo(photo), (view, view), everywhere, drawn, 0.02))
    assert np.array_equal(result[:, 60:], photo[:, 60:])
    assert (result[:, :40] == 64).all()


MOVE = Placement((40.5 / 128, 50.5 / 96), (90.5 / 128, 50.5 / 96))
NOTHING = torch.zeros(1, 1, 96, 128)


RED = torch.tensor((0.9, 0.1, 0.1))[None, :, None, None]
PLAIN = torch.full((1, 3, 96, 128), 0.6)


def staged(
    *placements: Placement, margin: float = 0.03, shadow: torch.Tensor = NOTHING + 1, crumbs: torch.Tensor = NOTHING
) -> Composite:
    """A red disc on a plain plate, drawn at each of the placements."""
    photo = torch.where(disc() > 0.5, RED, PLAIN * shadow)
    edit = object_edit("disc", disc(), placements, Effects(shadow, NOTHING))
    return compose(photo, LayeredScene((edit,), CleanPlate(PLAIN, crumbs)), margin)


def test_masks_of_a_move():
    stage = staged(MOVE)
    torch.testing.assert_close(stage.objects[0].target, disc(x=90))
    assert torch.equal(stage.vacated(disc()), disc())
    assert (stage.hole >= disc()).all()
    assert (stage.editable >= torch.maximum(stage.hole, stage.objects[0].target)).all()
    assert stage.editable[..., 65].sum() == 0


def test_what_stays_is_not_cleared_away_with_its_neighbour():
    """A blue disc stands where the shadow of the red one that leaves falls on it."""
    blue, there = torch.tensor((0.1, 0.2, 0.9))[None, :, None, None], disc(x=62, radius=9)
    photo = torch.where(there > 0.5, blue, torch.where(disc() > 0.5, RED, PLAIN))
    leaving = object_edit("red disc", disc(), (MOVE,), Effects(1 - 0.5 * disc(x=58, radius=8), NOTHING))
    staying = object_edit("blue disc", there, (IDENTITY,))
    stage = compose(photo, LayeredScene((leaving, staying), CleanPlate.of(PLAIN)), 0.02)
    assert (stage.hole * there).sum() == 0
    assert torch.equal(stage.image[..., 50, 62], photo[..., 50, 62])


def test_a_shadow_is_part_of_both_places():
    stage = staged(MOVE, margin=0.0, shadow=1 - 0.5 * disc(x=60, radius=6))
    assert (stage.hole >= disc(x=60, radius=6)).all()
    assert (stage.editable >= disc(x=110, radius=6)).all()


def test_an_object_that_leaves_the_photo_does_not_come_back_in():
    stage = staged(Placement((40.5 / 128, 0.5), (125.5 / 128, 0.5)), margin=0.02)
    assert stage.objects[0].target[..., :60].sum() == 0
    assert 0 < stage.objects[0].target.sum() < disc().sum()


def test_a_copy_leaves_the_original_alone_and_a_removed_object_leaves_the_plate():
    copied = staged(IDENTITY, MOVE)
    assert copied.hole.sum() == 0
    torch.testing.assert_close(copied.objects[0].target, torch.maximum(disc(), disc(x=90)))
    torch.testing.assert_close(copied.image[0, :, 50, 40], RED[0, :, 0, 0])
    torch.testing.assert_close(copied.image[0, :, 50, 90], RED[0, :, 0, 0], atol=1e-3, rtol=0)
    removed = staged()
    assert removed.objects[0].target.sum() == 0
    torch.testing.assert_close(removed.image, PLAIN, atol=1e-3, rtol=0)


def test_what_stands_lower_in_the_frame_is_drawn_in_front():
    blue = torch.tensor((0.1, 0.1, 0.9))[None, :, None, None]
    far, near = disc(y=30), disc(y=60, x=90)
    photo = torch.where(far > 0.5, RED, torch.where(near > 0.5, blue, PLAIN))
    objects = (
        object_edit("near", near, (Placement((90.5 / 128, 60.5 / 96), (66.5 / 128, 60.5 / 96)),)),
        object_edit("far", far, (Placement((40.5 / 128, 30.5 / 96), (66.5 / 128, 50.5 / 96)),)),
    )
    both = compose(photo, LayeredScene(objects, CleanPlate.of(PLAIN)), 0.02).image[0, :, 55, 66]
    torch.testing.assert_close(both, blue[0, :, 0, 0], atol=1e-3, rtol=0)


def scene_of(plate: float, shade: float, object_colour: tuple[float, float, float]):
    """A plain plate, a shadow right of the disc, and the disc on both."""
    shadow = 1 - (1 - shade) * disc(x=55, y=58, radius=9) * (1 - disc())
    photo = torch.full((1, 3, 96, 128), plate) * shadow
    return torch.where(disc() > 0.5, torch.tensor(object_colour)[None, :, None, None], photo), shadow


def test_taking_apart_finds_the_shadow_and_only_it():
    photo, shadow = scene_of(0.6, 0.6, (0.9, 0.1, 0.1))
    photo[..., 70:80, 100:110] *= 0.5  # dark too, but it touches nothing
    _, (trace,) = separate(photo, torch.full_like(photo, 0.6), [disc()], 0.02)
    found_shadow = trace.shadow
    assert not trace.reflection.any()
    found, true = (found_shadow < 0.9) & (disc() < 0.5), shadow < 0.9
    assert (found & true).sum() / (found | true).sum() > 0.75
    assert (found_shadow[..., 66:, 95:] > 0.99).all()
    assert found_shadow[0, 0, 58, 56].item() == pytest.approx(0.6, abs=0.03)


def test_the_rough_result_moves_object_and_shadow_and_shows_the_plate():
    photo, shadow = scene_of(0.6, 0.6, (0.9, 0.1, 0.1))
    stage = staged(MOVE, shadow=shadow)
    torch.testing.assert_close(stage.image[0, :, 50, 90], RED[0, :, 0, 0], atol=1e-3, rtol=0)
    torch.testing.assert_close(stage.image[0, :, 50, 40], torch.full((3,), 0.6), atol=1e-3, rtol=0)
    assert stage.image[0, 0, 60, 110].item() == pytest.approx(0.36, abs=0.01)
    untouched = stage.editable.expand_as(photo) < 0.5
    torch.testing.assert_close(stage.image[untouched], photo[untouched])


def test_box_and_centre():
    mask = box_mask((0.25, 0.5, 0.5, 0.75), (128, 96))
    assert mask_box(mask) == (0.25, 0.5, 0.5, 0.75)
    assert mask_centre(mask) == pytest.approx((0.375, 0.625))


def test_edges_come_from_the_photo_where_attention_is_coarse():
    photo = torch.full((1, 3, 96, 128), 0.6) + 0.02 * torch.randn(
        1, 3, 96, 128, generator=torch.Generator().manual_seed(0)
    )
    photo = torch.where(disc() > 0.5, torch.tensor((0.8, 0.1, 0.1))[None, :, None, None], photo).clamp(0, 1)
    coarse = torch.nn.functional.avg_pool2d(disc(x=42, y=52), 8)
    attention = torch.nn.functional.interpolate(coarse, size=(96, 128), mode="bicubic").clamp(0, 1)
    found = object_mask(photo, attention, "red disc") > 0.5
    true = disc() > 0.5
    assert (found & true).sum() / (found | true).sum() > 0.85  # half a pixel all around


def test_words_that_attend_everywhere_are_an_error():
    with pytest.raises(EditError, match="say where it is with --mask or --box"):
        object_mask(torch.rand(1, 3, 96, 128), torch.ones(1, 1, 96, 128), "table")


def test_tones_are_matched_from_where_both_are_seen():
    image = torch.full((1, 3, 96, 128), 0.4)
    model = torch.where(disc() > 0.5, torch.tensor(0.9), torch.tensor(0.5)).expand(1, 3, -1, -1)
    matched = match_tones(image, model, 1 - disc())
    torch.testing.assert_close(matched, torch.full_like(image, 0.5), atol=1e-3, rtol=0)


def test_what_the_mask_missed_is_cleared_with_the_object():
    photo, _ = scene_of(0.6, 1.0, (0.9, 0.1, 0.1))
    missed = disc(x=40, y=37, radius=4) * (1 - disc())
    photo = torch.where(missed > 0.5, torch.tensor((0.9, 0.1, 0.1))[None, :, None, None], photo)
    photo[..., 70:80, 100:110] = 0.1  # unlike the plate too, but it touches nothing
    backdrop, _ = separate(photo, torch.full_like(photo, 0.6), [disc()], 0.02)
    assert torch.equal(backdrop.residue, missed)
    assert (staged(MOVE, margin=0.02, crumbs=backdrop.residue).hole >= missed).all()
