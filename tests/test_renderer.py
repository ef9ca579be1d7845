"""The renderer and its scenes, against geometry computed by hand."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from inversion.phrases import find_phrase
from inversion.properties import centroid
from samples.dataset import EVEN_FROM, SHARD, shard_scenes
from samples.looks import COMMON, EVEN
from samples.renderer import render, touched_mask
from samples.scenes import COLOURS, FIRST_HELD_OUT_SEED, FOCAL, Scene, Thing, extent, project, sample_scene
from samples.shapes import SHAPES

BALL = Thing("ball", "red", "plain", "matte", 0.0, 0.0, 0.42)


def scene(*things: Thing, **changes) -> Scene:
    plain = Scene(things, "grey", "white", "", (4.6, 2.0), (1.5, -1.5, 4.5), 0.4, 1.9, (0.1, 0.2, 0.3, 0.4))
    return replace(plain, **changes)


def test_segments_have_the_radii_that_they_were_given():
    cone, cup = SHAPES["cone"].segments[0], SHAPES["cup"].segments[0]
    assert cone.radius(0) == pytest.approx(1.0)
    assert cone.radius(1.1) == pytest.approx(0.5)
    assert (cup.radius(0), cup.radius(1.7)) == pytest.approx((0.6, 0.95))
    ball = SHAPES["ball"].segments[0]
    assert (ball.radius(0), ball.radius(1), ball.radius(0.5)) == pytest.approx((0, 1, math.sqrt(0.75)))


@pytest.mark.parametrize("name", SHAPES)
def test_stacked_segments_fit_together(name):
    segments = SHAPES[name].segments
    for lower, upper in itertools.pairwise(segments):
        assert lower.high == upper.low
        assert lower.radius(lower.high) == pytest.approx(upper.radius(upper.low), abs=0.03)


def test_ball_appears_where_and_as_large_as_a_pinhole_camera_shows_it():
    """A ball whose centre is the point looked at projects to the middle of the frame, as a disc of
    radius f r / sqrt(d² - r²) in units of the short side."""
    r = 0.42
    for width, height in ((128, 128), (160, 96)):
        ball = replace(BALL, y=0.1, size=r)
        drawn = render([scene(ball)], width, height)
        mask = drawn.masks[0, 0]
        torch.testing.assert_close(centroid(mask), torch.tensor([0.5, 0.5]), atol=4e-3, rtol=0)
        d = math.hypot(4.6 + 0.1, 2.0 - 0.42)
        radius = FOCAL * min(width, height) * r / math.sqrt(d * d - r * r)
        assert mask.sum().item() == pytest.approx(math.pi * radius**2, rel=0.02)


def test_projection_agrees_with_the_picture():
    ball = replace(BALL, x=0.7, y=-0.3, size=0.2)
    drawn = render([scene(ball)], 160, 96)
    x, y, _ = project(scene(ball), (0.7, -0.3, 0.2), 160, 96)
    torch.testing.assert_close(centroid(drawn.masks[0, 0]), torch.tensor([x, y]), atol=5e-3, rtol=0)


def test_shadow_falls_where_similar_triangles_put_it():
    """The lamp at height h above x = l throws the centre (0, 0, z) of a ball to x = -l z / (h - z)."""
    lamp = (2.0, 0.0, 4.0)
    ball = replace(BALL, size=0.25)
    with_ball = render([scene(ball, light=lamp)])
    without = render([scene(light=lamp)])
    shadow = touched_mask(with_ball.photos, without.photos)[0, 0] * (with_ball.masks[0, 0] == 0)
    deep = (without.photos - with_ball.photos)[0].mean(0) * shadow
    x_world = -2.0 * 0.25 / (4.0 - 0.25)
    x, y, _ = project(scene(), (x_world, 0.0, 0.0), 128, 128)
    assert deep[round(y * 128), round(x * 128) - 4] > 0.05
    mirrored, _, _ = project(scene(), (-2 * x_world - 0.3, 0.0, 0.0), 128, 128)
    assert deep[round(y * 128), round(mirrored * 128)] < 0.05
    assert centroid(deep)[0] < 0.5


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_drawn_inside_its_extent(name):
    thing = replace(BALL, shape=name, size=0.8 / SHAPES[name].height, yaw=0.6)
    mask = render([scene(thing)]).masks[0, 0]
    left, top, right, bottom = extent(scene(thing), thing, 128, 128)
    rows, columns = mask.amax(1).nonzero()[:, 0], mask.amax(0).nonzero()[:, 0]
    assert mask.sum() > 150
    assert left * 128 - 2 <= columns[0]
    assert columns[-1] <= right * 128 + 2
    assert top * 128 - 5 <= rows[0]
    assert rows[-1] <= bottom * 128 + 5


def test_masks_never_overlap_and_hidden_parts_do_not_count():
    near = replace(BALL, y=-0.8, size=0.4)
    behind = replace(BALL, shape="cube", colour="blue", y=0.6, size=0.4)
    masks = render([scene(near, behind)]).masks[0]
    assert masks.sum(0).max() <= 1 + 1e-6
    alone = render([scene(behind)]).masks[0, 0]
    assert masks[1].sum() < alone.sum()


def test_the_same_seed_is_the_same_picture_in_any_batch():
    scenes = [sample_scene(s) for s in range(5)]
    assert [s.caption for s in scenes] == [sample_scene(s).caption for s in range(5)]
    together, alone = render(scenes, 48, 32), render(scenes[3:4], 48, 32)
    assert torch.equal(together.photos[3], alone.photos[0])
    assert not torch.equal(together.photos[2], together.photos[3])


def test_looks_are_as_common_as_asked_and_leave_the_place_alone():
    even, common = ([t for seed in range(200) for t in sample_scene(seed, looks=k).things] for k in (EVEN, COMMON))

    def share(things, seen):
        return sum(map(seen, things)) / len(things)

    for rare in (lambda t: t.pattern == "checked", lambda t: t.pattern == "spotted", lambda t: t.material == "metal"):
        assert share(even, rare) > 1.5 * share(common, rare) > 0
    one, two = sample_scene(7), sample_scene(7, looks=EVEN)
    assert (one.table, one.wall, one.camera, one.light) == (two.table, two.wall, two.camera, two.light)
    assert one == sample_scene(7, looks=COMMON)


def test_late_shards_show_rare_looks_more_often():
    assert shard_scenes(0)[3] == sample_scene(3, 128, 128)
    assert shard_scenes(EVEN_FROM)[3] == sample_scene(EVEN_FROM * SHARD + 3, 128, 128, EVEN)


def test_edits_change_what_they_say():
    before = sample_scene(FIRST_HELD_OUT_SEED + 3)
    x = before.things[0].x
    assert before.moved(0, 0.2).things[0].x == x + 0.2
    assert before.resized(0, 1.5).things[0].size == 1.5 * before.things[0].size
    assert before.recoloured(0, "green").things[0].colour == "green"
    assert before.without(0).things == before.things[1:]
    other = render([before, before.without(0)])
    changed = touched_mask(other.photos[:1], other.photos[1:])
    covered = other.masks[0, 0] > 0.9
    assert changed[0, 0][covered].mean() > 0.7
    far = changed[0, 0].clone()
    far[covered] = 0
    assert far.mean() < 0.35


@pytest.mark.parametrize("shape", SHAPES)
def test_the_front_is_the_lowest_point_that_is_seen(shape):
    here = scene(replace(BALL, shape=shape, yaw=0.7))
    mask = render([here], 160, 160).masks[0, 0] > 0.5
    lowest = float(mask.any(1).nonzero().max() + 1) / 160
    assert project(here, (0.0, -here.front(0), 0.0), 256, 256)[1] == pytest.approx(lowest, abs=0.01)


def test_a_moved_object_shows_the_side_that_it_showed():
    can = replace(BALL, shape="can", pattern="checked", yaw=0.5)
    here = scene(can)
    there = here.moved(0, 1.2)
    assert there.things[0].yaw == pytest.approx(0.5 - math.atan2(1.2, 4.6))  # clockwise, as the line of sight
    drawn = render([here, there, here.with_thing(0, replace(can, x=1.2))])

    def crop(i):
        x, y = (centroid(drawn.masks[i, 0]) * 128).round().int().tolist()
        return drawn.photos[i, :, y - 10 : y + 10, x - 7 : x + 7]

    turned, unturned = ((crop(i) - crop(0)).abs().mean() for i in (1, 2))
    assert turned < 0.5 * unturned


def test_recoloured_objects_have_the_asked_colour():
    for colour in ("red", "green", "blue"):
        drawn = render([scene(replace(BALL, colour=colour))])
        mean = drawn.photos[0][:, drawn.masks[0, 0] > 0.9].mean(1)
        assert int(mean.argmax()) == int(torch.tensor(COLOURS[colour]).argmax())


@pytest.mark.parametrize("start", [0, FIRST_HELD_OUT_SEED])
def test_captions_name_every_object_once(start):
    seen = set()
    for seed in range(start, start + 60):
        sampled = sample_scene(seed)
        assert 1 <= len(sampled.things) <= 3
        for thing in sampled.things:
            find_phrase(sampled.caption, thing.phrase)
            seen.add(thing.shape)
    assert seen == set(SHAPES)


def test_objects_lie_in_the_frame_of_any_aspect():
    for width, height in ((128, 128), (160, 96), (96, 160)):
        scenes = [sample_scene(s, width, height) for s in range(6)]
        masks = render(scenes, width // 2, height // 2).masks  # an object that is cut off is so at any resolution
        border = masks.clone()
        border[..., 1:-1, 1:-1] = 0
        assert border.max() == 0
