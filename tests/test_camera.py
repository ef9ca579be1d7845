"""How upright things look elsewhere in a photo, against the renderer's own camera."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from realedit.geometry.camera import Camera
from realedit.geometry.transform import IDENTITY_MATRIX
from samples.scenes import LOOK_AT, project, sample_scene

SIZES = [(128, 128), (160, 96), (96, 160)]
points = st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
cameras = st.builds(Camera, st.sampled_from(SIZES), st.floats(-0.5, 0.9), st.floats(0.8, 4))


def of_pixels(camera: Camera, turn) -> np.ndarray:
    stretch = np.diag(camera.size)
    return stretch @ np.array(turn) @ np.linalg.inv(stretch)


def underneath(camera: Camera, point) -> bool:
    """Whether a point is seen within about 10 degrees of straight down or up, or on the limit."""
    x, y = ((p - 0.5) * n / min(camera.size) / camera.focal for p, n in zip(point, camera.size, strict=True))
    plumb = (y * math.cos(camera.pitch) + math.sin(camera.pitch)) / math.sqrt(x * x + y * y + 1)
    return abs(plumb) > math.cos(math.radians(10.01))


@given(cameras, points, points, points)
def test_turns_keep_areas_and_follow_each_other(camera, a, b, c):
    assume(not any(underneath(camera, point) for point in (a, b, c)))
    pairs = (a, b), (b, a), (b, c), (a, c)
    assume(not any(one != two and camera.view_change(one, two) == IDENTITY_MATRIX for one, two in pairs))  # too much
    there = np.array(camera.view_change(a, b))
    assert np.linalg.det(there) == pytest.approx(1)
    np.testing.assert_allclose(there @ np.array(camera.view_change(b, a)), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(np.array(camera.view_change(b, c)) @ there, camera.view_change(a, c), atol=1e-9)
    assert camera.view_change(a, a) == IDENTITY_MATRIX


@given(st.builds(Camera, st.sampled_from(SIZES), st.floats(-1.4, 1.4), st.floats(0.4, 4)), points, points)
def test_no_camera_however_steep_tears_things_apart(camera, a, b):
    there = np.array(camera.view_change(a, b))
    assert np.linalg.det(there) == pytest.approx(1)
    assert np.abs(there).max() < 100
    assert np.isfinite(camera.along_ground(a, b[1])).all()
    assert np.isfinite(camera.project(a, np.array(((0.1, 9.0, -3.0), (0.0, -9.0, 5.0))))).all()


def test_right_under_the_camera_nothing_is_turned():
    camera = Camera((100, 100), math.radians(80))
    down = (0.5, 0.5 + camera.focal / math.tan(camera.pitch))
    assert camera.view_change(down, (0.1, 0.1)) == camera.view_change((0.1, 0.1), down) == IDENTITY_MATRIX


@given(st.sampled_from(SIZES), points, points)
def test_a_level_camera_keeps_what_is_upright(size, a, b):
    upright = np.array(Camera(size, 0.0).view_change(a, b)) @ (0, 1)
    assert upright[0] == pytest.approx(0, abs=1e-12)


def test_looking_down_things_lean_outwards():
    camera = Camera((100, 100), math.radians(20))
    left_to_right = of_pixels(camera, camera.view_change((0.2, 0.6), (0.8, 0.6)))
    top = left_to_right @ (0, -1)  # of a stick that was upright
    assert top[0] > 0.1
    assert (of_pixels(camera, camera.view_change((0.8, 0.6), (0.2, 0.6))) @ (0, -1))[0] < -0.1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [1_000_001, 1_000_007])
def test_it_is_what_the_renderers_camera_sees(seed, size):
    """A small upright square that faces the camera, here and as far off elsewhere: the map between the two pictures of
    it, up to its size."""
    scene = sample_scene(seed, *size)
    distance, up = scene.camera
    camera = Camera(size, math.atan2(up - LOOK_AT[2], LOOK_AT[1] + distance), 1.35)
    away, tall = distance + 0.2, 0.4

    def seen(bearing: float, across: float = 0.0, rise: float = 0.0) -> np.ndarray:
        forward, side = away * math.cos(bearing), away * math.sin(bearing)
        point = (side + across * math.cos(bearing), forward - across * math.sin(bearing) - distance, tall + rise)
        return np.array(project(scene, point, *size)[:2])

    def looks(bearing: float) -> np.ndarray:
        step = 1e-4
        edges = [seen(bearing, across=step) - seen(bearing), seen(bearing, rise=step) - seen(bearing)]
        return np.stack(edges, 1) / step

    here, there = -0.15, 0.25
    expected = looks(there) @ np.linalg.inv(looks(here))
    expected /= math.sqrt(np.linalg.det(expected))
    turn = camera.view_change(tuple(seen(here)), tuple(seen(there)))
    np.testing.assert_allclose(turn, expected, atol=1e-3)


@pytest.mark.parametrize("size", SIZES)
def test_it_sees_what_the_renderers_camera_sees(size):
    """Points around something on the table, how near it is, and what lies straight ahead of it."""
    scene = sample_scene(1_000_001, *size)
    distance, up = scene.camera
    camera = Camera(size, math.atan2(up - LOOK_AT[2], LOOK_AT[1] + distance), 1.35)
    x, y = 0.8, -0.3
    *base, depth = project(scene, (x, y, 0.0), *size)
    around = np.array(((0.0, 0.0, 0.0), (0.2, 0.1, 0.0), (-0.1, 0.3, 0.5), (0.0, -0.2, 0.4)))
    expected = [project(scene, (x + right, y + away, rise), *size)[:2] for right, away, rise in around]
    np.testing.assert_allclose(camera.project(tuple(base), around / depth), expected, atol=1e-9)
    nearer, row, other = project(scene, (x, y - 0.5, 0.0), *size)
    assert camera.inverse_depth(row) / camera.inverse_depth(base[1]) == pytest.approx(depth / other)
    assert camera.along_ground(tuple(base), row) == pytest.approx((nearer, row))


def test_above_the_horizon_there_is_no_ground():
    camera = Camera((100, 100), 0.0)
    assert camera.inverse_depth(0.5) == camera.inverse_depth(0.1) > 0
    assert camera.inverse_depth(0.7) > camera.inverse_depth(0.6) > camera.inverse_depth(0.5)
