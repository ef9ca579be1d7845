"""How far down a camera looked, read off upright lines."""

import math

import cv2
import numpy as np
import pytest
from PIL import Image

from realedit.files.photo import Photo
from realedit.viewpoint import USUAL, camera_of, estimated_pitch

EXIF_PART, FOCAL_IN_35MM = 0x8769, 0xA405


def posts(pitch: float, focal: float, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """A picture (H, W, 3) of upright posts, seen by a camera that looks down by `pitch` degrees."""
    width, height = size
    short = min(size)
    picture = np.full((height, width, 3), 200, np.uint8)
    k = math.tan(math.radians(pitch)) / focal  # one over the way down to where uprights meet, in shorter sides
    for x in np.linspace(-0.6, 0.6, 9):
        ends = []
        for y in (-0.25, 0.3):
            ends.append((round((x * (1 - k * y) + width / short / 2) * short), round((y + 0.5) * short)))
        cv2.line(picture, ends[0], ends[1], (40, 40, 60), 9, cv2.LINE_AA)
    return picture


def said(millimetres: int) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(EXIF_PART)[FOCAL_IN_35MM] = millimetres
    return exif.tobytes()


@pytest.mark.parametrize("pitch", [-8, 0, 12, 25, 40])
def test_lines_tell_the_pitch(pitch):
    assert math.degrees(camera_of(Photo(posts(pitch, 1.35))).pitch) == pytest.approx(pitch, abs=2.5)


def test_small_and_tall_photos_tell_it_too():
    assert math.degrees(camera_of(Photo(posts(25, 1.35, (160, 120)))).pitch) == pytest.approx(25, abs=4)
    tall = posts(25, 1.35, (480, 640))
    assert math.degrees(camera_of(Photo(tall)).pitch) == pytest.approx(25, abs=4)


def test_without_lines_it_is_a_usual_one():
    assert camera_of(Photo(np.full((100, 130, 3), 90, np.uint8))).pitch == pytest.approx(USUAL, abs=0.01)
    level = np.full((100, 130, 3), 90, np.uint8)
    level[50:] = 200  # an edge, but not upright
    assert camera_of(Photo(level)).pitch == pytest.approx(USUAL, abs=0.01)


def test_stray_lines_do_not_decide():
    """Four posts say 25 degrees; as many lines, leaning anyhow, say nothing."""
    k = math.tan(math.radians(25)) / 1.35
    upright = [(x * (1 + 0.2 * k), -0.2, x * (1 - 0.2 * k), 0.2) for x in (-0.4, -0.25, 0.3, 0.45)]
    stray = [(-0.3, -0.1, -0.2, 0.1), (0.2, -0.1, 0.28, 0.1), (0.4, -0.1, 0.32, 0.1), (-0.1, -0.1, -0.18, 0.1)]
    assert math.degrees(estimated_pitch(np.array(upright + stray), 1.35)) == pytest.approx(25, abs=5)


def test_a_long_lens_is_known_by_the_file():
    """The same leaning lines mean a steeper look if the lens is longer."""
    picture = posts(12, 1.35)
    usual, long = camera_of(Photo(picture)), camera_of(Photo(picture, exif=said(54)))
    assert long.focal == pytest.approx(54 / 36 * 640 / 480)
    assert math.tan(long.pitch) / long.focal == pytest.approx(math.tan(usual.pitch) / usual.focal, rel=0.15)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0rubbish", said(0), said(60000)])
def test_what_the_file_does_not_say_is_usual(exif):
    assert camera_of(Photo(posts(12, 1.35), exif=exif)).focal == 1.35
