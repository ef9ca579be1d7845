"""Photos in and out of files."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from inversion.errors import OutputError, PhotoError
from realedit.images import (
    Photo,
    check_output,
    load_mask,
    load_photo,
    resize,
    save_photo,
    to_bytes,
    working_size,
)


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp"])
def test_lossless_round_trip(tmp_path, rgb, suffix):
    path = tmp_path / f"a{suffix}"
    save_photo(Photo(rgb), path)
    assert np.array_equal(load_photo(path).rgb, rgb)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(64, 80), st.integers(64, 80), st.just(4))))
def test_any_pixels_and_transparency_survive_png(tmp_path, rgba):
    save_photo(Photo(rgba[..., :3].copy(), rgba[..., 3].copy()), tmp_path / "a.png")
    back = load_photo(tmp_path / "a.png")
    assert np.array_equal(back.rgb, rgba[..., :3])
    assert np.array_equal(back.alpha, rgba[..., 3])


def test_tensor_and_back(rgb):
    tensor = Photo(rgb).tensor()
    assert tensor.shape == (1, 3, 70, 90)
    assert np.array_equal(to_bytes(tensor), rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(tmp_path, orientation):
    upright = np.zeros((80, 100, 3), np.uint8)
    upright[:20, :30, 0] = 255  # red in the top left corner
    stored = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    image = Image.fromarray(upright)
    if stored != 1:
        image = image.transpose(Image.Transpose(undo[stored]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    image.save(tmp_path / "a.png", exif=exif)
    photo = load_photo(tmp_path / "a.png")
    assert photo.size == (100, 80)
    assert photo.rgb[5, 5, 0] == 255
    assert photo.rgb[-5, -5, 0] == 0
    save_photo(photo, tmp_path / "b.png")
    again = Image.open(tmp_path / "b.png")
    assert again.getexif().get(0x0112) in (None, 1)
    assert again.getexif().get(0x010F) == "Maker"


def test_sixteen_bits_are_reduced_and_said(tmp_path):
    values = np.linspace(0, 65535, 80 * 90).reshape(80, 90).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    photo = load_photo(tmp_path / "a.png")
    assert photo.rgb[0, 0, 0] == 0
    assert photo.rgb[-1, -1, 0] == 255
    assert abs(int(photo.rgb[40, 0, 0]) - 128) <= 1
    assert "8 bits" in photo.notes[0]


def test_cmyk_becomes_rgb_and_is_said(tmp_path):
    Image.new("CMYK", (80, 90), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    photo = load_photo(tmp_path / "a.jpg")
    assert photo.rgb[0, 0, 0] > 200
    assert photo.rgb[0, 0, 1] < 60
    assert "CMYK" in photo.notes[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_other_modes_are_read(tmp_path, mode):
    Image.new("RGB", (80, 70), (200, 200, 200)).convert(mode).save(tmp_path / "a.png")
    photo = load_photo(tmp_path / "a.png")
    assert photo.rgb.shape == (70, 80, 3)
    assert (photo.alpha is not None) == (mode in ("LA", "RGBA"))


def test_colour_profile_is_kept(tmp_path, rgb):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(rgb).save(tmp_path / "a.png", icc_profile=profile)
    save_photo(load_photo(tmp_path / "a.png"), tmp_path / "b.png")
    assert Image.open(tmp_path / "b.png").info["icc_profile"] == profile


def png_bytes() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((90, 90), 60).save(file, "PNG")
    return file.getvalue()


BROKEN = {
    "empty": b"",
    "text": b"this is no photo",
    "only a signature": png_bytes()[:8],
    **{f"cut at {n}0 %": png_bytes()[: len(png_bytes()) * n // 10] for n in range(1, 10)},
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_one_clear_line(tmp_path, name):
    (tmp_path / "a.png").write_bytes(BROKEN[name])
    with pytest.raises(PhotoError, match="cannot be read as a photo") as error:
        load_photo(tmp_path / "a.png")
    assert "\n" not in str(error.value)


def test_folder_missing_tiny_and_animated(tmp_path):
    with pytest.raises(PhotoError, match="is a folder"):
        load_photo(tmp_path)
    with pytest.raises(PhotoError, match="does not exist"):
        load_photo(tmp_path / "none.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    with pytest.raises(PhotoError, match="1x1 pixels; both sides must be at least 64"):
        load_photo(tmp_path / "a.png")
    frames = [Image.new("RGB", (80, 80), (i * 100, 0, 0)) for i in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(PhotoError, match="holds 3 frames"):
        load_photo(tmp_path / "a.gif")


def test_broken_camera_data_does_not_cost_the_photo(tmp_path, rgb):
    Image.fromarray(rgb).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert load_photo(tmp_path / "a.jpg").size == (90, 70)


def test_outputs_are_refused_before_any_work(tmp_path, rgb):
    photo = tmp_path / "a.png"
    save_photo(Photo(rgb), photo)
    with pytest.raises(OutputError, match="is the input"):
        check_output(photo, force=True, inputs=(photo,))
    with pytest.raises(OutputError, match="use --force"):
        check_output(photo, force=False)
    with pytest.raises(OutputError, match="does not exist; make it first"):
        check_output(tmp_path / "none" / "b.png", force=False)
    with pytest.raises(OutputError, match="end the name in"):
        check_output(tmp_path / "b.xyz", force=False)
    check_output(photo, force=True)


def test_failed_write_leaves_nothing(tmp_path, rgb, monkeypatch):
    def full(self, file, **options):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match="No space left"):
        save_photo(Photo(rgb), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_masks(tmp_path):
    values = np.zeros((80, 100), np.uint8)
    values[10:30, 20:60] = 255
    Image.fromarray(values).save(tmp_path / "m.png")
    mask = load_mask(tmp_path / "m.png", (100, 80))
    assert mask.sum() == 20 * 40
    assert load_mask(tmp_path / "m.png", (200, 160)).mean().item() == pytest.approx(0.1, rel=0.05)
    Image.new("L", (80, 80), 255).save(tmp_path / "all.png")
    with pytest.raises(PhotoError, match="all white"):
        load_mask(tmp_path / "all.png", (80, 80))
    Image.new("L", (80, 80), 0).save(tmp_path / "none.png")
    with pytest.raises(PhotoError, match="nowhere white"):
        load_mask(tmp_path / "none.png", (80, 80))


@given(st.integers(64, 8000), st.integers(64, 8000))
def test_working_size_keeps_area_and_aspect(width, height):
    w, h = working_size((width, height), 512, 64)
    assert w % 64 == 0
    assert h % 64 == 0
    if max(width, height) < 3 * min(width, height):
        assert w * h == pytest.approx(512 * 512, rel=0.25)
        assert w / h == pytest.approx(width / height, rel=0.25)


def test_native_photos_are_not_resampled():
    assert working_size((128, 128), 128, 16) == (128, 128)
    assert working_size((160, 96), 128, 16) == (160, 96)
    image = Photo(np.zeros((96, 160, 3), np.uint8)).tensor()
    assert resize(image, (160, 96)) is image
