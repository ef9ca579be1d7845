"""How far down a camera looked, read off upright lines and the outlines of what stands there."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from realedit.editing.request import EditRequest
from realedit.files.metadata import Metadata
from realedit.files.photo import Photo
from realedit.geometry.boxes import box_mask
from realedit.geometry.camera import TYPICAL_PITCH, Camera
from realedit.geometry.camera_estimation import (
    PITCHES,
    estimate_camera,
    line_likelihood,
    mean_pitch,
    silhouette_likelihood,
)
from realedit.geometry.object_pose import Silhouette
from samples.renderer import render
from samples.scenes import LOOK_AT, Thing, sample_scene

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


def camera_in(photo: Photo) -> Camera:
    """The camera of a photo, of whose objects nothing is known."""
    return EditRequest(photo, "a photo", ()).camera([])


def said(millimetres: int) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(EXIF_PART)[FOCAL_IN_35MM] = millimetres
    return exif.tobytes()


@pytest.mark.parametrize("pitch", [-8, 12, 40])
def test_lines_tell_the_pitch(pitch):
    assert math.degrees(camera_in(Photo(posts(pitch, 1.35))).pitch) == pytest.approx(pitch, abs=2.5)


def test_small_and_tall_photos_tell_it_too():
    assert math.degrees(camera_in(Photo(posts(25, 1.35, (160, 120)))).pitch) == pytest.approx(25, abs=4)
    tall = posts(25, 1.35, (480, 640))
    assert math.degrees(camera_in(Photo(tall)).pitch) == pytest.approx(25, abs=4)


def test_without_lines_it_is_a_usual_one():
    assert camera_in(Photo(np.full((100, 130, 3), 90, np.uint8))).pitch == pytest.approx(TYPICAL_PITCH, abs=0.01)
    level = np.full((100, 130, 3), 90, np.uint8)
    level[50:] = 200  # an edge, but not upright
    assert camera_in(Photo(level)).pitch == pytest.approx(TYPICAL_PITCH, abs=0.01)


def test_stray_lines_do_not_decide():
    """Four posts say 25 degrees; as many lines, leaning anyhow, say nothing."""
    k = math.tan(math.radians(25)) / 1.35
    upright = [(x * (1 + 0.2 * k), -0.2, x * (1 - 0.2 * k), 0.2) for x in (-0.4, -0.25, 0.3, 0.45)]
    stray = [(-0.3, -0.1, -0.2, 0.1), (0.2, -0.1, 0.28, 0.1), (0.4, -0.1, 0.32, 0.1), (-0.1, -0.1, -0.18, 0.1)]
    assert math.degrees(mean_pitch(line_likelihood(np.array(upright + stray), 1.35))) == pytest.approx(25, abs=5)


def test_a_long_lens_is_known_by_the_file():
    """The same leaning lines mean a steeper look if the lens is longer."""
    picture = posts(12, 1.35)
    usual, long = camera_in(Photo(picture)), camera_in(Photo(picture, metadata=Metadata(said(54))))
    assert long.focal == pytest.approx(54 / 36 * 640 / 480)
    assert math.tan(long.pitch) / long.focal == pytest.approx(math.tan(usual.pitch) / usual.focal, rel=0.15)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0rubbish", said(0), said(60000)])
def test_what_the_file_does_not_say_is_usual(exif):
    assert camera_in(Photo(posts(12, 1.35), metadata=Metadata(exif))).focal == 1.35


@pytest.mark.parametrize("shape", ["can", "cone", "cup", "bottle", "bowl", "cube"])
@pytest.mark.parametrize("seed", [1_000_001, 1_000_013])
def test_outlines_tell_the_pitch(shape, seed):
    """A photo without lines is taken for one from a usual height, until it is seen how much of a thing's top shows."""
    size = (160, 128)
    scene = replace(sample_scene(seed, *size), things=(Thing(shape, "red", "plain", "matte", 0.1, -0.1, 0.5, 0.5),))
    distance, up = scene.camera
    true = math.degrees(math.atan2(up - LOOK_AT[2], LOOK_AT[1] + distance))
    outline = Silhouette.of((render([scene], *size).masks[0, 0, None, None] > 0.5).float())
    blank = np.full((128, 160, 3), 90, np.uint8)
    told = math.degrees(estimate_camera(Camera(size), blank, [outline]).pitch)
    assert abs(told - true) < max(0.5 * abs(math.degrees(TYPICAL_PITCH) - true), 2.5)


def test_what_the_frame_cuts_off_tells_nothing():
    whole, cut = (Silhouette.of(box_mask((0.4, top, 0.6, 0.6), (160, 128))) for top in (0.2, 0.0))
    assert not silhouette_likelihood(cut, Camera((160, 128))).any()
    assert silhouette_likelihood(whole, Camera((160, 128))).any()


def test_the_mean_of_what_is_likely():
    assert mean_pitch(np.zeros_like(PITCHES)) == pytest.approx(TYPICAL_PITCH, abs=0.01)
    sure = np.where(np.abs(PITCHES - math.radians(40)) < 1e-3, 0.0, -100.0)
    assert mean_pitch(sure) == pytest.approx(math.radians(40))


def test_what_resembles_no_upright_solid_tells_little():
    """A long thing that lies aslant, against a can."""
    picture = np.zeros((128, 160), np.uint8)
    cv2.ellipse(picture, (80, 64), (40, 8), 40, 0, 360, 1, -1)
    scene = replace(
        sample_scene(1_000_001, 160, 128), things=(Thing("can", "red", "plain", "matte", 0.1, -0.1, 0.5, 0.5),)
    )
    can = render([scene], 160, 128).masks[0, 0, None, None] > 0.5
    slanted = torch.from_numpy(picture)[None, None]
    ranges = [
        float(np.ptp(silhouette_likelihood(Silhouette.of(m.float()), Camera((160, 128))))) for m in (slanted, can)
    ]
    assert ranges[0] < 2
    assert ranges[1] > 4
