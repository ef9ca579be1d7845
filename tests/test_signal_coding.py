"""Colours that numbers tell in place of a profile: linear light, wide gamuts, high dynamic range."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from realedit.files.colour import Colours
from realedit.files.encoding import encode, losses
from realedit.files.photo import Photo
from realedit.files.png import chunks
from realedit.files.reading import decode
from realedit.files.signal_coding import HLG, PQ, SignalCoding
from tests.metadata_files import chunk, picture, png, saved

LINEAR = chunk(b"gAMA", struct.pack(">I", 100_000))
P3 = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
SRGB = (
    chunk(b"sRGB", b"\0")
    + chunk(b"gAMA", struct.pack(">I", 45455))
    + chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
)


def hdr(transfer: int) -> bytes:
    return chunk(b"cICP", bytes((9, transfer, 0, 1))) + chunk(b"mDCV", bytes(24)) + chunk(b"cLLI", bytes(8))


FILES = {
    "linear": png(LINEAR),
    "gamma 1.8": png(chunk(b"gAMA", struct.pack(">I", 55556))),
    "wide": png(P3),
    "srgb": png(SRGB),
    "pq": png(hdr(PQ)),
    "hlg": png(hdr(HLG)),
}


def colour_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    return sorted(
        (kind, body)
        for kind, body in chunks(data)
        if kind in (b"cICP", b"mDCV", b"cLLI", b"sRGB", b"gAMA", b"cHRM", b"iCCP")
    )


def seen(data: bytes) -> np.ndarray:
    """A file's pixels in sRGB, by its profile, as any viewer with colour management shows them."""
    image = Image.open(io.BytesIO(data))
    profile = image.info.get("icc_profile")
    if not profile:
        return np.asarray(image.convert("RGB")).astype(int)
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    shown = ImageCms.profileToProfile(image.convert("RGB"), own, ImageCms.createProfile("sRGB"), renderingIntent=1)
    return np.asarray(shown).astype(int)


@pytest.mark.parametrize("name", FILES)
def test_chunks_stay_in_a_png(name):
    again = encode(decode(FILES[name], "a"), "PNG")
    assert colour_chunks(again) == colour_chunks(FILES[name]) != []
    assert np.array_equal(decode(again, "b").rgb, np.asarray(picture()))


@pytest.mark.parametrize("depth", [8, 16])
def test_linear_light_is_seen_as_it_looks(depth):
    """Half of the light is the sRGB value 188; pixels stay as they are, also in 16 bits."""
    peak = 2**depth - 1
    rgb = np.full((70, 90, 3), round(0.5 * peak), np.uint8 if depth == 8 else np.uint16)
    plain = imagecodecs.png_encode(rgb)
    photo = decode(plain[:33] + LINEAR + plain[33:], "a")
    assert np.array_equal(photo.rgb, rgb)
    assert photo.small((90, 70)).mean().item() * 255 == pytest.approx(188, abs=1)
    assert decode(plain, "b").small((90, 70)).mean().item() * 255 == pytest.approx(128, abs=1)
    back = photo.colours.from_srgb(torch.full((1, 3, 4, 5), 188 / 255))
    assert back.mean().item() == pytest.approx(0.5, abs=0.006)
    assert decode(encode(photo, "PNG"), "c").colours.there is not None


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("name", FILES)
def test_other_formats_get_a_profile_that_looks_the_same(name, kind):
    photo = decode(FILES[name], "a")
    result = encode(photo, kind)
    assert bool(Image.open(io.BytesIO(result)).info.get("icc_profile")) == (name != "srgb")
    shown = (photo.small(photo.size)[0].permute(1, 2, 0) * 255).round().numpy()
    assert np.abs(seen(result) - shown).mean() < 2
    if name == "linear":
        assert np.abs(shown - np.asarray(picture())).mean() > 30
    high = [note for note in losses(photo, kind) if "brighter than white" in note]
    assert bool(high) == (name in ("pq", "hlg"))
    assert losses(photo, "PNG") == []


@pytest.mark.parametrize(("transfer", "white"), [(PQ, 0.5807), (HLG, 0.75)])
def test_diffuse_white_of_a_high_range_is_white(transfer, white):
    """By ITU-R BT.2408: 203 candelas are 58 % of a PQ signal and 75 % of an HLG signal."""
    coding = SignalCoding.of_codes(9, transfer)
    assert coding.white == pytest.approx(white, abs=0.001)
    colours = Colours.of(None, coding)
    levels = torch.tensor([white, 1.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert colours.to_srgb(levels).min() > 0.99  # and what is brighter, too
    assert colours.from_srgb(torch.ones(1, 3, 2, 3)).mean().item() == pytest.approx(white, abs=0.002)


def test_a_wide_gamut_is_that_of_a_known_profile():
    """The P3 chunks give the green that a profile with the same primaries gives."""
    from tests.test_reading import wide_gamut

    photo = decode(FILES["wide"], "a")
    green = torch.tensor([120, 200, 90.0]).view(1, 3, 1, 1) / 255
    assert (photo.colours.to_srgb(green) - Colours.of(wide_gamut()).to_srgb(green)).abs().max() * 255 <= 2


def test_srgb_is_never_converted():
    assert decode(FILES["srgb"], "a").colours.there is None
    assert decode(png(SRGB[len(chunk(b"sRGB", b"\0")) :]), "a").colours.there is None


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b"gAMA", bytes(4)),
        chunk(b"gAMA", b"\xff" * 4),
        chunk(b"cHRM", bytes(32)),
        chunk(b"cHRM", b"\xff" * 32),
        chunk(b"cHRM", struct.pack(">8I", *[30000] * 8)),
        chunk(b"cICP", bytes(2)),
        chunk(b"cICP", bytes((2, 2, 0, 1))),
    ],
)
def test_numbers_that_mean_no_colours_are_taken_for_srgb(broken):
    photo = decode(png(broken), "a")
    assert photo.colours.there is None
    assert np.array_equal(decode(encode(photo, "JPEG"), "b").rgb.shape, photo.rgb.shape)


def test_a_profile_counts_more_than_gamma():
    from tests.test_reading import wide_gamut

    plain = saved("PNG", icc_profile=wide_gamut())
    photo = decode(plain[:33] + LINEAR + plain[33:], "a")
    assert photo.origin.coding is None
    assert photo.profile == wide_gamut()


def test_an_edit_paints_in_the_photos_own_light():
    """Half of white paint in a linear photo is 188 to the eye and 128 in the file."""
    photo = decode(FILES["linear"], "a")
    touched = torch.zeros(1, 1, 70, 90)
    touched[..., 10:20, 20:40] = 1
    result: Photo = photo.painted(photo.colours.from_srgb(torch.full((1, 3, 70, 90), 188 / 255)), touched)
    again = decode(encode(result, "PNG"), "b")
    assert np.abs(again.rgb[10:20, 20:40].astype(int) - 128).max() <= 1
    assert np.array_equal(again.rgb[30:], photo.rgb[30:])
