"""What a box, points or a scribble select: outlines of the photo, the same in `mask` and in edits."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from inversion.errors import EditError, Notice
from realedit.cli import main
from realedit.files.photo import Photo
from realedit.files.reading import load_photo
from realedit.files.recipe import Recipe
from realedit.objects.mark import Mark, check_selected
from realedit.objects.selection import select
from realedit.objects.user_masks import load_mask

SHARED = Path(__file__).parent.parent.parent / "shared" / "photos" / "coco"
SIZE = (180, 120)  # width, height
EGG = ((70, 66), (30, 22))  # centre and half axes in pixels


@pytest.fixture(scope="module")
def egg() -> np.ndarray:
    """A mask (H, W) of an egg."""
    return cv2.ellipse(np.zeros(SIZE[::-1], np.uint8), *EGG, 0, 0, 360, 1, -1) > 0


@pytest.fixture(scope="module")
def photo(egg) -> Photo:
    """A blue egg and a green disc on grainy brown."""
    ground = np.full((*egg.shape, 3), (150, 110, 70), np.uint8)
    ground[egg] = (40, 60, 170)
    cv2.circle(ground, (150, 30), 14, (60, 160, 60), -1)
    grain = np.random.default_rng(0).normal(0, 5, ground.shape)
    return Photo((ground + grain).clip(0, 255).astype(np.uint8))


def overlap(one: torch.Tensor, two: np.ndarray) -> float:
    inside = one[0, 0].numpy() > 0.5
    return float((inside & two).sum() / (inside | two).sum())


def test_a_box_and_a_point_mean_the_outline(photo, egg):
    for mark in (Mark(box=(0.15, 0.3, 0.65, 0.85)), Mark(points=((0.4, 0.55),))):
        mask = select(photo, mark)
        assert mask.shape == (1, 1, 120, 180)
        assert set(mask.unique().tolist()) == {0.0, 1.0}
        assert overlap(mask, egg) > 0.95
        assert torch.equal(select(photo, mark), mask)


def test_a_scribble_over_or_around_it_means_the_outline(photo, egg):
    over = torch.from_numpy(cv2.erode(egg.astype(np.uint8), np.ones((15, 15)))).float()[None, None]
    around = torch.from_numpy(cv2.dilate(egg.astype(np.uint8), np.ones((11, 11)))).float()[None, None]
    for rough in (over, around):
        assert overlap(select(photo, Mark(around=rough)), egg) > 0.95


def test_of_a_box_and_a_scribble_elsewhere_the_box_counts(photo, egg):
    elsewhere = torch.zeros(1, 1, *egg.shape)
    elsewhere[..., 2:6, 2:6] = 1
    assert overlap(select(photo, Mark(box=(0.2, 0.33, 0.58, 0.78), around=elsewhere)), egg) > 0.95


def test_points_beside_it_are_left_out(photo, egg):
    box = (0.1, 0.05, 0.97, 0.9)  # holds both the egg and the disc
    both = select(photo, Mark(box=box, points=((0.4, 0.55), (150 / 180, 0.25))))
    one = select(photo, Mark(box=box, points=((0.4, 0.55),), excluded=((150 / 180, 0.25),)))
    assert both[0, 0, 30, 150] == 1
    assert one[0, 0, 30, 150] == 0
    assert one[0, 0, 66, 70] == 1


def test_a_box_around_several_things_means_them_all():
    rgb, things = np.full((120, 180, 3), (150, 110, 70), np.uint8), np.zeros((120, 180), np.uint8)
    for centre, colour in (((30, 60), (200, 40, 40)), ((75, 62), (40, 60, 190)), ((122, 60), (240, 220, 60))):
        cv2.circle(things, centre, 17, 1, -1)
        cv2.circle(rgb, centre, 17, colour, -1)
    assert overlap(select(Photo(rgb), Mark(box=(0.06, 0.33, 0.79, 0.68))), things > 0) > 0.9


def test_a_box_beside_things_says_that_it_fits_none():
    grain = np.random.default_rng(1).normal(0, 6, (120, 180, 3)) + 120
    grain[:, 90:] += 60
    with pytest.warns(Notice, match="the box fits no one thing"):
        select(Photo(grain.clip(0, 255).astype(np.uint8)), Mark(box=(0.3, 0.3, 0.7, 0.7)))


def test_several_points_hold_two_halves_together():
    rgb = np.full((120, 180, 3), 200, np.uint8)
    rgb[40:80, 40:90], rgb[40:80, 90:140] = (200, 30, 30), (20, 30, 160)
    half = select(Photo(rgb), Mark(points=((0.35, 0.5),)))
    whole = select(Photo(rgb), Mark(points=((0.35, 0.5), (0.65, 0.5))))
    true = np.zeros((120, 180), bool)
    true[40:80, 40:140] = True
    assert overlap(whole, true) > 0.9
    assert half.sum() <= whole.sum()


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (Mark(), "nothing says where the object is"),
        (Mark(box=(0.5, 0.2, 0.4, 0.6)), "is not LEFT,TOP,RIGHT,BOTTOM inside the photo"),
        (Mark(box=(0.5, 0.2, 1.1, 0.6)), "is not LEFT,TOP,RIGHT,BOTTOM inside the photo"),
        (Mark(box=(0.5, 0.2, 0.5, 0.6)), "is 0x48 pixels, too small"),
        (Mark(box=(0.5, 0.2, 0.51, 0.6)), r"is 1\.8x48 pixels, too small"),
        (Mark(box=(0, 0, 1, 1)), "the box 0,0,1,1 is the whole photo"),
        (Mark(points=((1.0, 0.5),)), "the point 1,0.5 lies outside the photo"),
        (Mark(points=((0.5, 0.5),), excluded=((0.5, -0.1),)), "the point 0.5,-0.1 lies outside the photo"),
    ],
)
def test_marks_outside_the_photo_are_refused(photo, mark, said):
    with pytest.raises(EditError, match=said):
        select(photo, mark)


def test_what_is_not_one_thing_is_refused():
    flat = Photo(np.full((120, 180, 3), 128, np.uint8))
    with pytest.raises(EditError, match="nothing in the box stands out"):
        select(flat, Mark(box=(0.2, 0.2, 0.7, 0.7)))
    with pytest.raises(EditError, match="nothing at the point"):
        select(flat, Mark(points=((0.5, 0.5),)))
    dots = torch.zeros(1, 1, 120, 180)
    dots[..., 10::30, 10::30] = 1
    for mask, said in ((dots, "comes apart in 24 pieces"), (dots * 0, "no object"), (dots * 0 + 1, "fills 100%")):
        with pytest.raises(EditError, match=said):
            check_selected(mask)


def written(path: Path, picture: np.ndarray) -> Path:
    Image.fromarray(picture).save(path)
    return path


FLAT = Photo(np.zeros((*SIZE[::-1], 3), np.uint8))


def as_masks_are_written(egg: np.ndarray) -> dict[str, Image.Image]:
    """The same object as other programs would say it."""
    white = np.where(egg, 255, 0).astype(np.uint8)
    full, picture = np.full_like(white, 255), np.random.default_rng(0).integers(0, 255, (*egg.shape, 3), np.uint8)
    palette = Image.fromarray(egg.astype(np.uint8), "L").convert("P")
    palette.putpalette([0, 0, 0, 128, 0, 0])
    soft = cv2.GaussianBlur(white, (0, 0), 2)
    return {
        "white on opaque black": Image.fromarray(np.dstack([white, white, white, full])),
        "a layer of white paint": Image.fromarray(np.dstack([full, full, full, white])),
        "a layer of black paint": Image.fromarray(np.dstack([full * 0, full * 0, full * 0, white])),
        "a thin layer of paint": Image.fromarray(np.dstack([full, full, full, white // 3])),
        "a cut-out": Image.fromarray(np.dstack([np.where(egg[..., None], picture, 0).astype(np.uint8), white])),
        "labels 0 and 1": Image.fromarray(egg.astype(np.uint8)),
        "a palette": palette,
        "one bit": Image.fromarray(white).convert("1"),
        "red paint": Image.fromarray(np.dstack([white, white * 0, white * 0])),
        "16 bits": Image.fromarray(egg.astype(np.uint16) * 65535),
        "8 bits in 16": Image.fromarray(white.astype(np.uint16)),
        "probabilities": Image.fromarray(soft),
        "probabilities in 16 bits": Image.fromarray(soft.astype(np.uint16) * 257),
    }


@pytest.mark.parametrize("kind", as_masks_are_written(np.zeros(SIZE[::-1], bool)))
def test_masks_of_other_programs_mean_the_object(tmp_path, egg, kind):
    path = tmp_path / "mask.png"
    as_masks_are_written(egg)[kind].save(path)
    assert overlap(load_mask(path, FLAT), egg) > (0.98 if "probabilities" in kind else 0.999)


def test_masks_in_32_bits(tmp_path, egg):
    level = cv2.GaussianBlur(egg.astype(np.float32), (0, 0), 2)
    for values, least in ((level, 0.98), (egg.astype(np.int32), 1), (egg.astype(np.int32) * 255, 1)):
        Image.fromarray(values).save(tmp_path / "mask.tif")
        assert overlap(load_mask(tmp_path / "mask.tif", FLAT), egg) >= least


def test_a_mask_of_another_size_is_resized_and_of_another_shape_refused(tmp_path, egg):
    white = np.where(egg, 255, 0).astype(np.uint8)
    twice = written(tmp_path / "twice.png", np.kron(white, np.ones((2, 2), np.uint8)))
    with pytest.warns(Notice, match=r"twice\.png is enlarged or reduced"):
        assert overlap(load_mask(twice, FLAT), egg) > 0.99
    upright = Photo(FLAT.rgb.swapaxes(0, 1))
    with pytest.raises(EditError, match="is 180x120, the photo 120x180: another shape"):
        load_mask(written(tmp_path / "same.png", white), upright)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_of_the_unrotated_sensor_is_turned_as_its_photo(tmp_path, egg, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    rgb = np.where(egg[..., None], 250, 5).astype(np.uint8).repeat(3, -1)
    Image.fromarray(rgb).save(tmp_path / "photo.png", exif=exif)
    photo = load_photo(tmp_path / "photo.png")
    assert photo.size == SIZE[::-1]
    with pytest.warns(Notice, match="lies on its side"):
        mask = load_mask(written(tmp_path / "mask.png", rgb[..., 0]), photo)
    assert np.array_equal(mask[0, 0].numpy() > 0.5, photo.rgb[..., 0] > 128)
    Image.fromarray(rgb).save(tmp_path / "turned.png", exif=exif)  # which a program wrote with the photo's own tag
    assert torch.equal(load_mask(tmp_path / "turned.png", photo), mask)


def test_masks_that_cannot_be_meant_are_refused(tmp_path, egg):
    inverted = np.where(egg, 0, 255).astype(np.uint8)
    large = np.full(SIZE[::-1], 255, np.uint8)
    large[:6] = 0
    dot = inverted * 0
    dot[50:52, 60:90] = 255
    colours = np.zeros((*SIZE[::-1], 3), np.uint8)
    colours[20:60, 20:60], colours[70:100, 20:60] = (200, 0, 0), (0, 200, 0)
    numbers = np.arange(6, dtype=np.uint8).repeat(20)[:, None].repeat(180, 1)
    for picture, said in (
        (inverted, "seems to be inverted"),
        (inverted * 0, "nowhere white"),
        (inverted * 0 + 255, "all white"),
        (large, "is white on 95% of the photo, which is no object"),
        (dot, "marks 60 of the pixels, nowhere 3 wide"),
        (colours, "a picture in 3 colours"),
        (numbers, "6 shades of nearly one brightness"),
        (np.dstack([large, large, large, inverted]), "seems to be inverted"),
    ):
        with pytest.raises(EditError, match=said) as refused:
            load_mask(written(tmp_path / "mask.png", picture), FLAT)
        assert "\n" not in str(refused.value)
        assert str(refused.value).endswith("paint the object white on black")
    large[:20] = 0  # an object that fills most of the photo, but not along its top
    assert load_mask(written(tmp_path / "mask.png", large), FLAT).mean() > 0.8


def test_the_command_writes_the_mask_and_its_outline(tmp_path, photo, egg):
    path = written(tmp_path / "photo.png", photo.rgb)
    args = ["mask", str(path), "--point", "72px,66px", "-o", str(tmp_path / "m.png")]
    done = CliRunner().invoke(main, [*args, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    mask = np.array(Image.open(tmp_path / "m.png"))
    assert mask.shape == (120, 180)
    assert np.array_equal(mask > 0, select(photo, Mark(points=((72 / 180, 66 / 120),)))[0, 0].numpy() > 0)
    assert said["size"] == pytest.approx((mask > 0).mean())
    outline = np.array(Image.open(tmp_path / "m-outline.png"))
    assert outline.shape == (120, 180, 3)
    assert (outline[66, 70] == photo.rgb[66, 70]).all()
    assert (outline[5, 5] < 0.5 * photo.rgb[5, 5]).all()
    assert CliRunner().invoke(main, args).exit_code == 1  # there already


def test_the_command_writes_nothing_where_nothing_is_found(tmp_path):
    path = written(tmp_path / "flat.png", np.full((120, 180, 3), 128, np.uint8))
    done = CliRunner().invoke(main, ["mask", str(path), "--point", "0.5,0.5"])
    assert done.exit_code == 2
    assert "nothing at the point" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["flat.png"]


def test_recipes_take_one_point_or_several():
    entry = {"kind": "remove", "object": "ball"}
    for typed, points in ([0.1, 0.2], ((0.1, 0.2),)), ([[0.1, 0.2], [0.3, 0.4]], ((0.1, 0.2), (0.3, 0.4))):
        values = {"edit": [entry], "where": {"ball": {"point": typed, "not": [[0.5, 0.5]]}}}
        where = Recipe.model_validate(values).where["ball"]
        assert where.points == points
        assert where.excluded == ((0.5, 0.5),)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real photos")
@pytest.mark.parametrize("name", ["1557820", "417250", "61097", "36603"])
def test_real_things_are_selected(name):
    rgb = np.array(Image.open(SHARED / f"{name}.jpg").convert("RGB"))
    true = np.array(Image.open(SHARED / f"{name}-mask.png").convert("L")) > 127
    rows, columns = np.flatnonzero(true.any(1)), np.flatnonzero(true.any(0))
    box = (columns[0] / 512, rows[0] / 512, (columns[-1] + 1) / 512, (rows[-1] + 1) / 512)
    depth = cv2.distanceTransform(np.pad(true, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    assert overlap(select(Photo(rgb), Mark(box=box)), true) > 0.85
    assert overlap(select(Photo(rgb), Mark(points=(((x + 0.5) / 512, (y + 0.5) / 512),))), true) > 0.85


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real photos")
@pytest.mark.parametrize("room", [0.0, 0.1])
def test_what_is_found_in_a_box_is_in_its_middle(room):
    """A bottle as bright as what is around it, between a dark sleeve and another bottle."""
    photo = load_photo(SHARED / "89064.jpg")
    true = np.array(Image.open(SHARED / "89064-mask.png").convert("L")) > 127
    rows, columns = np.flatnonzero(true.any(1)), np.flatnonzero(true.any(0))
    left, right, top, bottom = columns[0] / 512, (columns[-1] + 1) / 512, rows[0] / 512, (rows[-1] + 1) / 512
    across, down = room * (right - left), room * (bottom - top)
    box = (left - across, top - down, min(1.0, right + across), min(1.0, bottom + down))
    assert overlap(select(photo, Mark(box=box)), true) > 0.8


@pytest.mark.parametrize(("height", "width"), [(120, 160), (200, 110)])
def test_pinholes_of_a_mask_are_closed_and_other_holes_stay(tmp_path, height, width):
    """The hole of a handle, a notch at the photo's edge, and a corner outside that is smaller than a pinhole, stay."""
    mask = np.ones((height, width), bool)
    mask[: height // 2] = False
    mask[height // 2 + 4 : height // 2 + 16, 20:40] = False
    mask[-1, -1] = mask[-5:, 60:63] = False
    true = mask.copy()
    mask[-20, 30] = mask[-12, 70:73] = False
    Image.fromarray(np.uint8(mask) * 255).save(tmp_path / "mask.png")
    found = load_mask(tmp_path / "mask.png", Photo(np.zeros((height, width, 3), np.uint8)))
    assert np.array_equal(found[0, 0].numpy() > 0.5, true)
