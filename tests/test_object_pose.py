"""On what objects stand, against the renderer's own places, and against solids whose outline is known exactly."""

import math

import numpy as np
import pytest
import torch

from realedit.geometry.boxes import box_mask
from realedit.geometry.camera import TYPICAL_PITCH, Camera
from realedit.geometry.object_pose import Silhouette, fit_primitive, object_pose, support_of
from realedit.geometry.primitives import PRIMITIVE_FAMILIES, box, ellipsoid, revolution
from samples.scenes import Scene, Thing, project
from samples.shapes import SHAPES
from tests.single_things import SIZE, alone, camera_of, drawn


def mask_of(scene: Scene) -> torch.Tensor:
    return drawn(scene)[1]


def outline_of(points: np.ndarray) -> Silhouette:
    """The outline of points (n, 2) in fractions, exactly."""
    hull = (points - 0.5) * np.array(SIZE) / min(SIZE)
    return Silhouette(support_of(hull), np.concatenate((hull.min(0), hull.max(0))), truncated=False, solidity=1.0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("x", "yaw"), [(-0.6, 0.0), (0.7, 1.1)])
def test_it_is_where_the_renderer_put_it(shape, x, yaw):
    """Most shapes are not among the solids; what resembles them stands where they do, to a pixel or two."""
    scene = alone(Thing(shape, "red", "plain", "matte", x, -0.1, 0.5, yaw))
    base = fit_primitive(Silhouette.of(mask_of(scene)), camera_of(scene)).base
    true = project(scene, (x, -0.1, 0.0), *SIZE)[:2]
    assert abs(base[0] - true[0]) * SIZE[0] < 1
    assert abs(base[1] - true[1]) * SIZE[1] < 2


@pytest.mark.parametrize(
    ("points", "family"),
    [
        (box(np.array((*np.log((0.09, 0.05, 0.12)), 0.4))), 0),
        (ellipsoid(np.log((0.1, 0.08, 0.15))), 1),
        (revolution(np.log((0.05, 0.08, 0.09, 0.1, 0.2))), 2),
    ],
)
def test_a_solid_is_known_by_its_outline(points, family):
    """Exactly, since it is one; others do not fit."""
    camera, base = Camera(SIZE, math.radians(25)), (0.62, 0.7)
    outline = outline_of(camera.project(base, points))
    found = fit_primitive(outline, camera)
    assert found.base == pytest.approx(base, abs=1e-2)
    assert found.residual < 2e-3
    misfits = []
    for each in PRIMITIVE_FAMILIES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("realedit.geometry.object_pose.PRIMITIVE_FAMILIES", (each,))
            misfits.append(fit_primitive(outline, camera).residual)
    assert int(np.argmin(misfits)) == family


@pytest.mark.parametrize("seed", range(2))
def test_teeth_in_an_outline_matter_little(seed):
    scene = alone(Thing("can", "red", "plain", "matte", 0.2, 0.0, 0.5))
    mask = mask_of(scene)
    rim = torch.nn.functional.max_pool2d(mask, 3, 1, 1) - mask
    teeth = rim * (torch.rand(mask.shape, generator=torch.Generator().manual_seed(seed)) < 0.3)
    smooth, toothed = (
        fit_primitive(Silhouette.of(m), camera_of(scene)).base for m in (mask, torch.maximum(mask, teeth))
    )
    assert smooth == pytest.approx(toothed, abs=1.2 / 128)


def test_an_outline_says_how_far_it_reaches():
    outline = Silhouette.of(box_mask((0.25, 0.5, 0.5, 0.75), SIZE))
    assert outline.box * min(SIZE) == pytest.approx((-40, 0, 0, 32), abs=0.5)
    assert outline.support[0] == outline.box[2]  # to the right
    assert outline.support[16] == outline.box[3]  # downwards
    assert not outline.truncated
    assert outline.solidity == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "edge", [(0.0, 0.4, 0.2, 0.6), (0.8, 0.4, 1.0, 0.6), (0.4, 0.0, 0.6, 0.2), (0.4, 0.8, 0.6, 1.0)]
)
def test_what_the_frame_cuts_off_is_known(edge):
    assert Silhouette.of(box_mask(edge, SIZE)).truncated


def test_no_base_lies_beyond_the_objects_middle():
    """A shelf along the top edge is wide and flat."""
    x, y = fit_primitive(Silhouette.of(box_mask((0.0, 0.0, 1.0, 0.125), SIZE)), Camera(SIZE)).base
    assert 0 <= x <= 1
    assert 0.0625 - 0.01 <= y <= 0.125 + 0.01


def test_a_mask_of_one_pixel_has_a_base():
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 4, 2] = 1
    assert fit_primitive(Silhouette.of(dot), Camera((8, 8))).base == pytest.approx((2.5 / 8, 4.8 / 8), abs=0.05)


@pytest.mark.parametrize("shape", ["cone", "box", "bottle"])
@pytest.mark.parametrize("x", [-0.7, 0.7])
def test_the_lowest_point_lies_straight_ahead_of_the_base(shape, x):
    """Farther out than its middle is, where it stands aside: against the renderer's own."""
    scene = alone(Thing(shape, "red", "plain", "matte", x, -0.2, 0.6, 0.3))
    true, row, _ = project(scene, (x, -0.2 - scene.front(0), 0.0), *SIZE)
    place = object_pose(mask_of(scene), camera_of(scene))
    assert place.lowest[1] == place.box[3] == pytest.approx(row, abs=1.5 / SIZE[1])
    assert abs(place.lowest[0] - true) < 1.2 / SIZE[0]


def test_how_it_stands_is_not_asked_without_a_camera():
    place = object_pose(box_mask((0.25, 0.5, 0.75, 0.75), SIZE))
    assert (place.base, place.lowest, place.inverse_depth) == (None, None, None)
    assert place.foot == place.ground_point == (0.5, 0.75)


def test_what_is_nearer_stands_lower():
    back, front = (object_pose(box_mask((0.4, y, 0.6, y + 0.2), SIZE), Camera(SIZE, TYPICAL_PITCH)) for y in (0.4, 0.7))
    assert front.inverse_depth > 1.2 * back.inverse_depth
