"""Results as files: compressed, coloured and described as their photos were, and marked as edited."""

import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, IptcImagePlugin, JpegImagePlugin

from inversion.errors import OutputError
from realedit.files.encoding import Saving, encode, losses, suffix_for
from realedit.files.kinds import FORMATS
from realedit.files.metadata import Metadata
from realedit.files.photo import Origin, Photo
from realedit.files.reading import decode, load_photo
from realedit.files.tiff_tags import EXIF_PART, PLACE_PART
from realedit.files.writing import check_outputs, save_photo, write_bytes
from realedit.files.xmp import DigitalSourceType, kept, marked, without_place
from tests.digital_source import source_of
from tests.test_reading import RGB, pillow, smooth, wide_gamut

KINDS = sorted(set(FORMATS.values()) - {"BMP"})
NOISY = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(EXIF_PART)[0x829A] = 0.01
    exif.get_ifd(PLACE_PART)[1], exif.get_ifd(PLACE_PART)[2] = "N", (52.0, 31.0, 12.0)
    return exif


def packet_of(data: bytes) -> bytes:
    return decode(data, "a").metadata.xmp


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("deep", [False, True])
def test_camera_data_profile_and_mark_in_every_format(kind, deep):
    profile = wide_gamut()
    rgb = smooth().astype(np.uint16) * 257 if deep else smooth()
    photo = Photo(rgb, profile=profile, metadata=Metadata(camera().tobytes()))
    data = encode(photo, kind)
    back = decode(data, "a")
    assert back.profile == profile
    exif = Image.open(io.BytesIO(data)).getexif() if kind != "HEIF" else exif_of(back.metadata.exif)
    assert exif[0x010F] == "Maker"
    assert float(exif.get_ifd(EXIF_PART)[0x829A]) == pytest.approx(0.01)
    assert [float(v) for v in exif.get_ifd(PLACE_PART)[2]] == [52, 31, 12]
    assert source_of(back.metadata.xmp).endswith("/compositeWithTrainedAlgorithmicMedia")
    assert (back.peak == 65535) == (deep and kind in ("PNG", "TIFF"))


def exif_of(block: bytes) -> Image.Exif:
    values = Image.Exif()
    values.load(block)
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_the_mark_can_be_left_out_and_the_place_too(kind):
    photo = Photo(smooth(), metadata=Metadata(camera().tobytes()))
    back = decode(encode(photo, kind, Saving(mark=None, strip_place=True)), "a")
    assert source_of(back.metadata.xmp) is None
    exif = exif_of(back.metadata.exif)
    assert not exif.get_ifd(PLACE_PART)
    assert exif[0x010F] == "Maker"


def test_an_older_packet_is_kept_around_the_mark():
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
        xmlns:exif="http://ns.adobe.com/exif/1.0/" tiff:Orientation="6" exif:GPSLatitude="52,31N" dc:format="image/jpeg"
        xmlns:I="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" I:DigitalSourceType="digitalCapture">
        <dc:creator><rdf:Seq><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator>
      </rdf:Description></rdf:RDF></x:xmpmeta>"""
    left = marked(kept(packet)[0], DigitalSourceType.EDITED)
    assert source_of(left) == DigitalSourceType.EDITED.address
    assert b"Ann" in left
    assert b"Orientation" not in left
    assert b"GPSLatitude" in left
    assert b"GPSLatitude" not in without_place(packet)


@pytest.mark.parametrize(
    "packet",
    [
        b"<broken",
        b"\xff\xfe\x00",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"\0" * 500,
        b"<a>" + b"x" * 70_000 + b"</a>",
    ],
)
def test_a_packet_that_is_no_use_is_replaced(packet):
    assert source_of(marked(packet, DigitalSourceType.GENERATED)) == DigitalSourceType.GENERATED.address
    kept(packet)


def test_untouched_blocks_of_a_jpeg_come_out_as_they_were():
    """The source's tables again: pixels differ by rounding alone."""
    for options in (
        {"quality": 90},
        {"quality": 75, "subsampling": "4:2:0"},
        {"quality": 95, "subsampling": "4:4:4", "progressive": True},
    ):
        original = pillow(Image.fromarray(smooth(160, 240)), "JPEG", **options)
        photo = decode(original, "a.jpg")
        data = encode(photo, "JPEG")
        image, source = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(original))
        assert image.quantization == source.quantization
        assert JpegImagePlugin.get_sampling(image) == JpegImagePlugin.get_sampling(source)
        assert bool(image.info.get("progressive")) == bool(options.get("progressive"))
        difference = np.abs(decode(data, "b.jpg").rgb.astype(int) - photo.rgb)
        assert difference.mean() < 0.03
        assert difference.max() <= 6


def test_a_grey_photo_stays_grey():
    data = pillow(Image.fromarray(RGB[..., 0]), "JPEG", quality=90)
    photo = decode(data, "a.jpg")
    coloured = torch.rand(1, 3, 70, 90)
    result = photo.painted(coloured, torch.ones(1, 1, 70, 90))
    assert np.array_equal(result.rgb[..., 0], result.rgb[..., 2])
    for kind in ("JPEG", "PNG", "TIFF"):
        assert Image.open(io.BytesIO(encode(result, kind))).mode == "L"


def test_the_presss_caption_is_kept_in_a_jpeg():
    block = b"\x1c\x02\x78\x00\x05Hello"
    body = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + len(block).to_bytes(4) + block
    plain = pillow(Image.fromarray(RGB), "JPEG")
    data = plain[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2) + body + plain[2:]
    again = encode(decode(data, "a.jpg"), "JPEG")
    assert IptcImagePlugin.getiptcinfo(Image.open(io.BytesIO(again)))[(2, 120)] == b"Hello"


def test_what_a_format_cannot_hold_is_said():
    deep = Photo(np.zeros((70, 80, 3), np.uint16))
    assert "8 bits" in losses(deep, "JPEG")[0]
    assert losses(deep, "TIFF") == []
    see_through = Photo(RGB, np.zeros(RGB.shape[:2], np.uint8))
    assert "no transparency" in losses(see_through, "JPEG")[0]
    assert losses(see_through, "WEBP") == []
    white = decode(encode(see_through, "JPEG"), "a.jpg")
    assert white.rgb.min() > 250


def test_results_end_as_their_photos_do():
    assert suffix_for(Photo(RGB, origin=Origin("JPEG"))) == ".jpg"
    assert suffix_for(Photo(RGB, origin=Origin("GIF"))) == ".png"
    assert suffix_for(Photo(RGB.astype(np.uint16), origin=Origin("RAW"))) == ".tif"


def test_only_touched_pixels_are_painted():
    photo = Photo(NOISY.astype(np.uint16) * 250, np.full((96, 128), 40000, np.uint16))
    touched = torch.zeros(1, 1, 96, 128)
    touched[..., 20:40, 30:60] = 1
    result = photo.painted(torch.ones(1, 3, 96, 128), touched, torch.ones(1, 1, 96, 128))
    where = touched[0, 0].numpy() > 0
    assert np.array_equal(result.rgb[~where], photo.rgb[~where])
    assert np.array_equal(result.alpha[~where], photo.alpha[~where])
    assert (result.rgb[where] == 65535).all()
    assert (result.alpha[where] == 65535).all()


def test_a_part_is_put_back_where_it_was():
    photo = Photo(NOISY)
    box = (10, 20, 70, 90)
    part = photo.cropped(box)
    assert part.size == (60, 70)
    result = photo.with_part(box, replace(part, rgb=255 - part.rgb))
    assert np.array_equal(result.rgb[20:90, 10:70], 255 - NOISY[20:90, 10:70])
    assert (result.rgb != NOISY).any(-1).sum() <= 60 * 70
    assert np.array_equal(photo.rgb, NOISY)


def test_large_photos_are_seen_small_without_a_shift():
    y, x = np.mgrid[:1203, :1605]
    photo = Photo(np.stack([x / 1605 * 255, y / 1203 * 255, 0 * x], -1).astype(np.uint8))
    small = photo.small((128, 96))[0]
    assert torch.allclose(small[0].mean(0), (torch.arange(128) + 0.5) / 128, atol=0.006)
    assert torch.allclose(small[1].mean(1), (torch.arange(96) + 0.5) / 96, atol=0.006)


def refused(*outputs: Path, force: bool = False, inputs: tuple[Path, ...] = ()) -> str:
    """What is said of outputs that must not be written; the last of several is no picture."""
    with pytest.raises(OutputError) as caught:
        check_outputs(outputs, (), force=force, inputs=inputs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_outputs_are_refused_before_any_work(tmp_path):
    photo = tmp_path / "a.png"
    save_photo(Photo(RGB), photo)
    assert "is the input" in refused(photo, force=True, inputs=(photo,))
    assert "use --force" in refused(photo)
    assert "does not exist; make it first" in refused(tmp_path / "none" / "b.png")
    assert "end the name in" in refused(tmp_path / "b.xyz")
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.png", force=True)
    check_outputs((photo,), (), force=True, inputs=())


def test_links_to_an_input_are_the_input(tmp_path):
    photo, mask = tmp_path / "a.png", tmp_path / "mask.png"
    save_photo(Photo(RGB), photo)
    save_photo(Photo(RGB), mask)
    os.symlink(photo, tmp_path / "link.png")
    os.link(mask, tmp_path / "hard.png")
    for name in ("link.png", "hard.png", "./folder/../a.png"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        assert "is the input" in refused(tmp_path / name, force=True, inputs=(photo, mask))
    os.symlink(tmp_path / "gone.png", tmp_path / "dangling.png")
    assert "use --force" in refused(tmp_path / "dangling.png")  # the link is somebody's too


ONE_FILE = {
    "the same path": ("a.png", "a.png"),
    "another way there": ("a.png", "folder/../a.png"),
    "another case": ("a.png", "A.PNG"),
    "an accent composed otherwise": ("caf\u00e9.png", "cafe\u0301.png"),
    "a link": ("a.png", "link.png"),
    "a link to the folder": ("folder/a.png", "to_folder/a.png"),
    "standard output": ("-", "-"),
}


@pytest.mark.parametrize("name", ONE_FILE)
def test_two_outputs_of_one_run_are_never_one_file(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.symlink(tmp_path / "a.png", tmp_path / "link.png")
    os.symlink(tmp_path / "folder", tmp_path / "to_folder")
    one, two = (Path(n) if n == "-" else tmp_path / n for n in ONE_FILE[name])
    assert "would both be written" in refused(one, two, force=True)
    check_outputs((one, tmp_path / "b.png"), (tmp_path / "a.png.json",), force=True, inputs=())


@pytest.mark.parametrize("letter", ["n", "\u5199"])
def test_the_longest_name_is_written_and_a_longer_one_refused(tmp_path, letter):
    """Names are counted in bytes, and what is written meanwhile has a short one of its own."""
    count = (255 - len(".png")) // len(letter.encode())
    longest = tmp_path / f"{letter * count}.png"
    check_outputs((longest,), (), force=False, inputs=())
    save_photo(Photo(RGB), longest)
    assert np.array_equal(load_photo(longest).rgb, RGB)
    said = refused(tmp_path / f"{letter * (count + 1)}.png")
    assert "its folder takes 255; give a shorter one" in said
    with pytest.raises(OutputError, match="its folder takes 255"):  # the sidecar's name is longer than the result's
        check_outputs((), (longest.with_name(longest.name + ".realedit.json"),), force=True, inputs=())


def test_a_side_that_a_format_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write a\.webp as WEBP") as caught:
        save_photo(Photo(np.zeros((64, 16400, 3), np.uint8)), tmp_path / "a.webp")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from realedit.files.writing import write_bytes
from inversion.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(b"x" * 5000, Path(sys.argv[1]))
except OutputError as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_leaves_the_old_file(tmp_path):
    """The operating system itself refuses to write on, as a full disk does."""
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout
    assert path.read_bytes() == b"mine"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_full_device_is_one_clear_error(monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    with open("/dev/full", "wb") as device:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(device))
        with pytest.raises(OutputError, match="No space left"):
            write_bytes(b"x" * 100_000, Path("-"))


KILLED = """
import os, signal, sys
from pathlib import Path
from realedit.files import writing
os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)  # the moment before the file gets its name
writing.write_bytes(b"new", Path(sys.argv[1]))
"""


def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    done = subprocess.run([sys.executable, "-c", KILLED, path])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"mine"


def test_new_files_have_the_usual_rights(tmp_path):
    mask = os.umask(0o027)
    try:
        save_photo(Photo(RGB), tmp_path / "a.png")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640
    assert np.array_equal(load_photo(tmp_path / "a.png").rgb, RGB)
