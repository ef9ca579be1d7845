"""How things look where they go, against the renderer's own pictures of them there."""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inversion.properties import centroid
from realedit.evaluation.metrics import psnr
from realedit.geometry.boxes import box_mask
from realedit.geometry.camera import Camera
from realedit.geometry.object_pose import object_pose
from realedit.geometry.reprojection import reproject
from realedit.geometry.transform import Placement
from realedit.geometry.warp import warp
from samples.scenes import Scene, Thing, project
from tests.single_things import SIZE, alone, camera_of, drawn


def base_of(scene: Scene) -> tuple[tuple[float, float], float]:
    """The middle of the thing's base, and how far away it is."""
    x, y, depth = project(scene, (scene.things[0].x, scene.things[0].y, 0.0), *SIZE)
    return (x, y), depth


points = st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
BOX = Thing("box", "red", "checked", "matte", -0.5, -0.3, 0.5, 0.4)
THINGS = [BOX, replace(BOX, shape="can", pattern="spotted"), replace(BOX, shape="ball", pattern="striped")]


def between(scene: Scene, after: Scene) -> Placement:
    (here, far), (there, near) = base_of(scene), base_of(after)
    return Placement(here, there, far / near)


@functools.cache
def of_both(thing: Thing, dx: float, dy: float):
    """A thing's picture and mask, both where it goes, its place, and how it goes there by its true base."""
    scene = alone(thing)
    after = scene.moved(0, dx, dy)
    (photo, mask), (truth, target) = drawn(scene), drawn(after)
    camera = camera_of(scene)
    place = object_pose(mask, camera)
    placement = replace(between(scene, after), anchor=place.base)
    return photo, mask, truth, target, camera, place, placement


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.shape)
@pytest.mark.parametrize(("dx", "dy"), [(0.2, 0.7), (1.0, 0.5)])
def test_it_looks_as_the_renderer_shows_it_there(thing, dx, dy):
    """Nearer to the truth than what is turned as a whole, by outline and by what is on it."""
    photo, mask, truth, target, camera, place, placement = of_both(thing, dx, dy)
    bent = reproject(placement, place, mask[0, 0].numpy(), camera)
    overlap, likeness = [], []
    for each in (replace(bent, grid_warp=None), bent):
        there, colour = warp(mask, each), warp(photo * mask, each)
        overlap.append(float(torch.minimum(there, target).sum() / torch.maximum(there, target).sum()))
        likeness.append(psnr(colour + (1 - there) * truth, truth, target))
    assert overlap[1] > max(0.92, overlap[0] - 0.01)
    assert likeness[1] > likeness[0] + 1


def test_a_point_of_a_face_goes_where_the_camera_sees_it():
    """Exactly, for a solid that is one: by the pinhole camera alone."""
    camera, here, there, nearer = Camera(SIZE, math.radians(25)), (0.3, 0.5), (0.6, 0.7), 1.3
    solid = np.array([(x, y, z) for x in (-0.08, 0.08) for y in (-0.08, 0.08) for z in (0, 0.2)])
    place = replace(object_pose(box_mask((0.2, 0.3, 0.4, 0.6), SIZE)), base=here, primitive=solid)
    bend = reproject(Placement(here, there, nearer), place, np.ones((128, 160), np.float32), camera)
    angle = camera.bearing(here) - camera.bearing(there)
    cos, sin = math.cos(angle), math.sin(angle)
    for point in np.array([(0.0, -0.08, 0.1), (0.03, 0.02, 0.2), (0.05, -0.08, 0.05)]):
        turned = nearer * np.array((cos * point[0] - sin * point[1], sin * point[0] + cos * point[1], point[2]))
        shown, came = camera.project(there, turned), camera.project(here, point)
        marked = torch.zeros(1, 1, 1280, 1600)
        x, y = int(came[0] * 1600), int(came[1] * 1280)
        marked[..., y - 8 : y + 9, x - 8 : x + 9] = 1
        found = centroid(warp(marked, bend)[0, 0]).numpy()
        assert found == pytest.approx(shown, abs=0.002)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.5])
def test_what_was_asked_of_place_and_size_holds(scale):
    _, mask, *_, camera, place, _ = of_both(BOX, 0.0, 0.0)
    asked = Placement(place.centre, (0.6, 0.55), scale)
    bent = reproject(asked, place, mask[0, 0].numpy(), camera)
    assert bent.grid_warp is not None
    there = warp(mask, bent)
    assert float(there.sum() / mask.sum()) == pytest.approx(scale**2, rel=0.02)
    assert centroid(there[0, 0]).tolist() == pytest.approx(asked.target, abs=0.003)


@settings(max_examples=6, deadline=None)
@given(points, points, st.floats(0.25, 4), st.floats(0.1, 0.9), st.floats(-0.4, 1.2))
def test_wherever_it_goes_it_comes_from_somewhere(corner, target, scale, width, pitch):
    """Also above the horizon, right below the camera, and beyond the frame."""
    left, top = corner
    mask = box_mask((0.8 * left, 0.8 * top, 0.8 * left + 0.2 * width + 0.02, 0.8 * top + 0.15), SIZE)
    camera = Camera(SIZE, pitch)
    place = object_pose(mask, camera)
    for anchor in (place.centre, place.ground_point):
        bent = reproject(Placement(anchor, target, scale), place, mask[0, 0].numpy(), camera)
        assert bent.grid_warp is None or np.isfinite(bent.grid_warp.sources).all()
        assert torch.isfinite(warp(mask, bent)).all()


def test_nothing_is_bent_where_it_is_or_where_no_solid_is_known():
    _, mask, *_, camera, place, placement = of_both(BOX, 0.5, 0.0)
    level = mask[0, 0].numpy()
    assert reproject(Placement(place.centre, place.centre), place, level, camera).grid_warp is None
    unknown = reproject(placement, replace(place, primitive=None), level, camera)
    assert unknown.grid_warp is None
    assert unknown.linear == camera.view_change(placement.anchor, placement.target)


def test_only_what_resembles_a_solid_and_is_seen_wholly_has_one():
    camera = Camera(SIZE)
    cross = torch.maximum(box_mask((0.45, 0.3, 0.55, 0.8), SIZE), box_mask((0.3, 0.5, 0.7, 0.55), SIZE))
    assert object_pose(cross, camera).primitive is None
    y, x = torch.meshgrid(torch.arange(128) - 64, torch.arange(160) - 80, indexing="ij")
    leaning = (((x + y) / 50) ** 2 + ((x - y) / 25) ** 2 < 1).float()[None, None]
    assert object_pose(leaning, camera).primitive is None
    assert object_pose(box_mask((0.0, 0.4, 0.2, 0.8), SIZE), camera).primitive is None
    assert object_pose(box_mask((0.3, 0.4, 0.5, 0.8), SIZE), camera).primitive is not None
    assert object_pose(box_mask((0.3, 0.4, 0.5, 0.8), SIZE)).primitive is None
