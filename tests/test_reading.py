"""Photos as cameras, phones and other programs write them. Pictures here are encoded by OpenCV, tifffile,
imagecodecs and libheif, not only by the library that reads them."""

import io
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms, ImageDraw

from inversion.errors import PhotoError
from realedit.files.encoding import encode
from realedit.files.photo import Photo
from realedit.files.reading import PhotoFile, decode, load_photo
from realedit.files.writing import save_photo


def smooth(height: int = 70, width: int = 90) -> np.ndarray:
    """A picture with soft gradients, which lossy formats keep to a few levels."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + x, 60 + y, 200 - x // 2 - y // 3], -1).clip(0, 255).astype(np.uint8)


def pillow(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def opencv(rgb: np.ndarray, suffix: str, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), list(options))[1])


def tiff(values: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def heic(rgb: np.ndarray, **options) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(rgb)).save(file, quality=90, **options)
    return file.getvalue()


RGB = smooth()
EXACT = {
    "png by opencv": opencv(RGB, ".png"),
    "png by imagecodecs": imagecodecs.png_encode(RGB),
    "webp by opencv, lossless": opencv(RGB, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    "webp by imagecodecs, lossless": imagecodecs.webp_encode(RGB, lossless=True),
    "tiff by opencv": opencv(RGB, ".tiff"),
    "tiff by tifffile, plain": tiff(RGB, photometric="rgb"),
    "tiff by tifffile, big endian": tiff(RGB, photometric="rgb", byteorder=">"),
    "tiff by tifffile, lzw": tiff(RGB, photometric="rgb", compression="lzw"),
    "tiff by tifffile, tiled": tiff(RGB, photometric="rgb", tile=(32, 32)),
    "tiff by tifffile, planes": tiff(RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
    "bmp by opencv": opencv(RGB, ".bmp"),
    "ppm by opencv": opencv(RGB, ".ppm"),
    "jpeg 2000 by imagecodecs": imagecodecs.jpeg2k_encode(RGB, level=0),
}
CLOSE = {
    "jpeg by opencv": opencv(RGB, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 92),
    "jpeg by opencv, progressive": opencv(RGB, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "jpeg by imagecodecs": imagecodecs.jpeg8_encode(RGB, level=90),
    "avif by opencv": opencv(RGB, ".avif", cv2.IMWRITE_AVIF_QUALITY, 95),
    "avif by imagecodecs": imagecodecs.avif_encode(RGB, level=95),
    "webp by imagecodecs": imagecodecs.webp_encode(RGB, level=95),
    "tiff with jpeg by tifffile": tiff(RGB, photometric="rgb", compression="jpeg", tile=(64, 64)),
    "heic by libheif": heic(RGB),
}


@pytest.mark.parametrize("name", EXACT)
def test_lossless_files_of_other_programs(name):
    assert np.array_equal(decode(EXACT[name], name).rgb, RGB)


@pytest.mark.parametrize("name", CLOSE)
def test_lossy_files_of_other_programs(name):
    photo = decode(CLOSE[name], name)
    assert photo.size == (90, 70)
    assert np.abs(photo.rgb.astype(int) - RGB).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_rotation_is_applied_once(tmp_path, orientation, deep):
    upright = np.zeros((80, 100, 3), np.uint16 if deep else np.uint8)
    upright[:20, :30, 0] = np.iinfo(upright.dtype).max  # red in the top left corner
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: upright.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    kinds = [cv2.IMAGE_METADATA_EXIF]
    block = np.frombuffer(exif.tobytes().removeprefix(b"Exif\0\0"), np.uint8)
    data = bytes(cv2.imencodeWithMetadata(".png", np.ascontiguousarray(stored[..., ::-1]), kinds, [block])[1])
    photo = decode(data, "a.png")
    assert np.array_equal(photo.rgb, upright)
    (tmp_path / "a.png").write_bytes(data)
    assert PhotoFile.open(tmp_path / "a.png").size == (100, 80)
    again = Image.open(io.BytesIO(encode(photo, "PNG")))
    assert again.getexif().get(0x0112) in (None, 1)
    assert again.getexif().get(0x010F) == "Maker"


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_tiff_is_upright(tmp_path, orientation, depth):
    """Pillow turns TIFF by itself, and so does OpenCV, which reads 16 bits."""
    rgb = RGB if depth == 8 else RGB.astype(np.uint16) * 257
    stored = {1: rgb, 3: rgb[::-1, ::-1], 6: rgb.swapaxes(0, 1)[::-1], 8: rgb.swapaxes(0, 1)[:, ::-1]}[orientation]
    data = tiff(np.ascontiguousarray(stored), photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    assert np.array_equal(decode(data, "a.tif").rgb, rgb)
    (tmp_path / "a.tif").write_bytes(data)
    assert PhotoFile.open(tmp_path / "a.tif").size == (90, 70)


@pytest.mark.parametrize("name", [*EXACT, *CLOSE])
def test_the_header_says_what_the_photo_is(tmp_path, name):
    """Its size and format, as they are when it is decoded."""
    (tmp_path / "a.bin").write_bytes({**EXACT, **CLOSE}[name])
    file = PhotoFile.open(tmp_path / "a.bin")
    assert (file.size, file.format) == ((90, 70), file.photo.origin.format)
    assert np.array_equal(file.photo.rgb, load_photo(tmp_path / "a.bin").rgb)


@pytest.mark.parametrize("turned", [False, True])
def test_a_caption_is_found_wherever_it_stands(tmp_path, turned):
    """Also behind the pixels of a PNG."""
    plain = EXACT["png by imagecodecs"]
    if turned:
        exif = Image.Exif()
        exif[0x0112] = 6
        plain = pillow(Image.fromarray(RGB), "PNG", exif=exif.tobytes())
    body = b"tEXtDescription\0a red ball"
    chunk = (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    for place in (33, len(plain) - 12):  # behind the header, before the end
        (tmp_path / "a.png").write_bytes(plain[:place] + chunk + plain[place:])
        file = PhotoFile.open(tmp_path / "a.png")
        assert file.description == "a red ball"
        assert file.size == ((70, 90) if turned else (90, 70))


def test_a_phones_jpeg_is_upright_and_without_its_old_thumbnail():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003] = 90, 70
    data = imagecodecs.jpeg8_encode(RGB, level=90)
    block = bytearray(exif.tobytes())
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2) + bytes(block)
    photo = decode(data[:2] + segment + data[2:], "a.jpg")
    assert photo.size == (70, 90)
    details = Image.open(io.BytesIO(encode(photo, "JPEG"))).getexif().get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == (70, 90)


def test_sixteen_bits_are_kept():
    deep = (np.random.default_rng(0).random((70, 90, 3)) * 65535).astype(np.uint16)
    for data in (
        opencv(deep, ".png"),
        imagecodecs.png_encode(deep),
        tiff(deep, photometric="rgb"),
        tiff(deep, photometric="rgb", compression="zlib", predictor=True, byteorder=">"),
    ):
        photo = decode(data, "deep")
        assert photo.rgb.dtype == np.uint16
        assert np.array_equal(photo.rgb, deep)
        assert photo.notes == ()


def test_sixteen_bits_of_grey_and_of_transparency_are_kept():
    rng = np.random.default_rng(0)
    grey = (rng.random((70, 90)) * 65535).astype(np.uint16)
    for data in (opencv(grey[..., None], ".png"), tiff(grey, photometric="minisblack")):
        photo = decode(data, "grey")
        assert photo.origin.grey
        assert np.array_equal(photo.rgb[..., 1], grey)
    rgba = (rng.random((70, 90, 4)) * 65535).astype(np.uint16)
    photo = decode(imagecodecs.png_encode(rgba), "rgba")
    assert np.array_equal(photo.rgb, rgba[..., :3])
    assert np.array_equal(photo.alpha, rgba[..., 3])


def test_cmyk_becomes_rgb_and_is_said():
    photo = decode(pillow(Image.new("CMYK", (80, 90), (0, 255, 255, 0)), "JPEG"), "a.jpg")
    assert photo.rgb[0, 0, 0] > 200
    assert photo.rgb[0, 0, 1] < 60
    assert "CMYK" in photo.notes[0]


def test_lab_becomes_rgb():
    lab = ImageCms.applyTransform(
        Image.new("RGB", (80, 80), (200, 60, 40)),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    photo = decode(pillow(lab, "TIFF"), "a.tif")
    assert np.abs(photo.rgb.reshape(-1, 3).astype(int) - (200, 60, 40)).max() <= 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_other_modes_are_read(mode):
    photo = decode(pillow(Image.new("RGB", (80, 70), (200, 200, 200)).convert(mode), "PNG"), "a.png")
    assert photo.rgb.shape == (70, 80, 3)
    assert (photo.alpha is not None) == (mode in ("LA", "RGBA"))
    assert photo.origin.grey == (mode in ("1", "L", "LA"))


def test_a_palette_with_a_transparent_colour():
    image = Image.new("P", (80, 80), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    ImageDraw.Draw(image).rectangle((0, 0, 39, 79), fill=0)
    photo = decode(pillow(image, "PNG", transparency=0), "a.png")
    assert photo.see_through
    assert photo.alpha[0, 0] == 0
    assert photo.alpha[0, 79] == 255
    assert tuple(photo.rgb[0, 79]) == (0, 255, 0)


def test_the_first_picture_of_a_phones_many_is_taken():
    first, second = Image.fromarray(RGB), Image.new("L", (45, 35), 128)
    photo = decode(pillow(first, "MPO", save_all=True, append_images=[second], quality=95), "a.jpg")
    assert photo.size == (90, 70)
    assert photo.origin.format == "JPEG"
    assert "more than one picture" in photo.notes[0]


def test_camera_raw_is_developed(tmp_path):
    """A small DNG, built by hand: a plain grey field behind a Bayer pattern."""
    mosaic = np.full((96, 128), 8000, np.uint16)
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = 4000, 6000
    tags = [
        (50706, "B", 4, (1, 4, 0, 0)),
        (50708, "s", 0, "Test camera"),
        (33421, "H", 2, (2, 2)),
        (33422, "B", 4, (0, 1, 1, 2)),
        (50717, "I", 1, 16383),
        (50721, "2i", 9, (10000, 10000, 0, 1, 0, 1, 0, 1, 10000, 10000, 0, 1, 0, 1, 0, 1, 10000, 10000)),
        (50778, "H", 1, 21),
        (50728, "2I", 3, (1, 2, 1, 1, 3, 4)),
    ]
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, mosaic, photometric=32803, extratags=[(*t, True) for t in tags])
    photo = load_photo(path)
    assert photo.rgb.dtype == np.uint16
    assert max(photo.size) >= 120
    middle = photo.rgb[30:60, 40:80].reshape(-1, 3).astype(float)
    assert middle.std(0).max() < 0.02 * 65535
    assert "white balance" in photo.notes[0]


def wide_gamut() -> bytes:
    """An RGB profile with Display P3's primaries, made of nothing but its tags."""
    import struct

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(s15, values))

    def text(words: str) -> bytes:
        return b"desc\0\0\0\0" + struct.pack(">I", len(words) + 1) + words.encode() + b"\0" * 79

    curve = b"para\0\0\0\0\0\x03\0\0" + b"".join(map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags = {
        b"desc": text("Wide"),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, offset = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", offset + len(body), len(value))
        body += value
    head = struct.pack(">I", 128 + len(table) + len(body)) + b"lcms\x02\x40\0\0mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    head += b"\0" * 28 + s15(0.9642) + s15(1.0) + s15(0.8249)
    return head.ljust(128, b"\0") + table + body


def test_the_model_sees_srgb_and_the_photo_keeps_its_own_colours():
    profile = wide_gamut()
    photo = decode(pillow(Image.new("RGB", (80, 80), (120, 200, 90)), "PNG", icc_profile=profile), "a.png")
    assert photo.profile == profile
    assert tuple(photo.rgb[0, 0]) == (120, 200, 90)
    seen = photo.small((80, 80))[0, :, 0, 0] * 255
    assert seen[1] > 200  # the same green needs more of sRGB's
    assert seen[0] < 110
    back = photo.colours.from_srgb(photo.colours.to_srgb(photo.tensor()))
    assert (back * 255 - photo.tensor() * 255).abs().max() <= 2


def test_an_srgb_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = decode(pillow(Image.fromarray(RGB), "PNG", icc_profile=profile), "a.png")
    assert photo.colours.there is None
    assert photo.profile == profile


def test_transparent_parts_look_white_to_the_model_and_stay_as_they_were():
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    rgba[:30, :, 3] = 0
    photo = decode(imagecodecs.png_encode(rgba), "a.png")
    assert (photo.tensor()[..., :30, :] == 1).all()
    back = decode(encode(photo, "PNG"), "b.png")
    assert np.array_equal(back.rgb, RGB)
    assert np.array_equal(back.alpha, rgba[..., 3])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["PNG", "WEBP", "TIFF"]),
    arrays.arrays(np.uint8, st.tuples(st.integers(64, 80), st.integers(64, 80), st.just(4))),
)
@example("WEBP", np.full((64, 64, 4), 255, np.uint8))
def test_any_pixels_and_transparency_survive(kind, rgba):
    """A WebP in which nothing is transparent says nothing of transparency."""
    photo = Photo(rgba[..., :3].copy(), rgba[..., 3].copy())
    back = decode(encode(photo, kind), kind)
    assert np.array_equal(back.rgb, photo.rgb)
    assert torch.equal(back.opacity(), photo.opacity())
    assert back.alpha is not None or kind == "WEBP"


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["PNG", "TIFF"]),
    arrays.arrays(np.uint16, st.tuples(st.integers(64, 70), st.integers(64, 70), st.sampled_from([3, 4]))),
)
def test_any_deep_pixels_survive(kind, channels):
    alpha = channels[..., 3].copy() if channels.shape[-1] == 4 else None
    back = decode(encode(Photo(channels[..., :3].copy(), alpha), kind), kind)
    assert np.array_equal(back.rgb, channels[..., :3])
    assert alpha is None or np.array_equal(back.alpha, alpha)


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


def test_broken_camera_data_do_not_cost_the_photo(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    photo = load_photo(tmp_path / "a.jpg")
    assert photo.size == (90, 70)
    save_photo(photo, tmp_path / "b.jpg")


REAL = Path(__file__).parent.parent.parent / "shared" / "photos" / "single"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real photos are not here")
def test_real_photos_come_back_as_they_went_in():
    """Photos as people share them: read, one corner painted, written; the rest within the JPEG's rounding."""
    paths = sorted(REAL.glob("*.jp*g"))
    assert paths
    for path in paths:
        photo = load_photo(path)
        touched = np.zeros(photo.rgb.shape[:2], bool)
        touched[:64, :64] = True
        painted = replace(photo, rgb=np.where(touched[..., None], 128, photo.rgb).astype(np.uint8))
        again = decode(encode(painted, "JPEG"), path.name)
        far = np.ones_like(touched)
        far[:96, :96] = False
        difference = np.abs(again.rgb.astype(int) - photo.rgb)[far]
        assert difference.mean() < 0.1
        assert difference.max() <= 16
        assert np.array_equal(decode(encode(painted, "PNG"), path.name).rgb, painted.rgb)
