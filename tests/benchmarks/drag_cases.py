"""Drags with a known answer: an object shifted a little along the table, or turned where it stands."""

import math
import random
from dataclasses import dataclass, replace

from torch import Tensor

from inversion.properties import centroid
from realedit.edits import Move
from samples.renderer import render, touched_mask
from samples.scenes import Scene, Thing, project, sample_scene
from samples.shapes import SHAPES
from tests.benchmarks.cases import Change, drawn_case, free
from tests.benchmarks.judge import DIFFERS, nearer

SHIFTED = 0.06, 0.12  # of the frame, at least and at most
TURNED = 0.35, 0.7  # radians
MOST_WRONG = 0.3  # of the pixels that can be told: fewer may be nearer to the photo than to the truth
LEAST_SHARE = 0.02  # of the frame: how large a thing is that is turned
WITHIN = 0.3  # of the object's width and height: how far from its middle points beside it lie
HEIGHTS = 0.2, 0.5, 0.8  # of a thing: where an edge is dragged
DRAG_TRIES = 200
Point = tuple[float, float]
Points = tuple[tuple[Point, Point], ...]
Frame = tuple[int, int]


@dataclass(frozen=True, eq=False)
class DragCase:
    """One drag of one photo and its true answer. Photos are (1, 3, H, W); `region` (1, 1, H, W) is what object and
    shadow cover before or after. `points`: from where to where, fractions. `edit`: the move that says the same, or for
    a turn one that moves nothing, since no words turn a thing."""

    name: str
    prompt: str
    points: Points
    edit: Move
    before: Tensor
    truth: Tensor
    region: Tensor


def drag_case(seed: int, frame: Frame) -> DragCase | None:
    """A turn of odd seeds, a shift of even ones; None where the scene allows none."""
    scene, rng = sample_scene(seed, *frame), random.Random(seed)
    return turn(scene, frame, rng) if seed % 2 else shift(scene, frame, rng)


def shift(scene: Scene, frame: Frame, rng: random.Random) -> DragCase | None:
    """An object dragged along the table by its middle and four points around that."""
    for _ in range(DRAG_TRIES):
        k = rng.randrange(len(scene.things))
        change = Change(scene, k, scene.moved(k, rng.uniform(-0.8, 0.8), rng.uniform(-0.2, 0.2)), "move")
        far = math.dist(*(_seen(s, s.things[k], (0.0, 0.0), 0.5, frame) for s in (scene, change.after)))
        if SHIFTED[0] <= far <= SHIFTED[1] and free(change, frame):
            case = drawn_case("", change, frame)
            assert isinstance(case.edit, Move)
            assert case.edit.by is not None
            return DragCase(
                "", case.prompt, _around(case.source, case.edit.by), case.edit, case.before, case.truth, case.region
            )
    return None


def _around(mask: Tensor, by: Point) -> Points:
    """The middle of a mask (1, 1, H, W) and the points around it, each to where it is shifted."""
    height, width = mask.shape[-2:]
    rows, columns = (mask[0, 0] > 0.5).nonzero().T
    wide, high = WITHIN * float(columns.max() - columns.min()) / width, WITHIN * float(rows.max() - rows.min()) / height
    x, y = centroid(mask[0, 0]).tolist()
    starts = [(x, y), (x - wide, y), (x + wide, y), (x, y - high), (x, y + high)]
    return tuple((start, (start[0] + by[0], start[1] + by[1])) for start in starts)


def turn(scene: Scene, frame: Frame, rng: random.Random) -> DragCase | None:
    """A thing with corners, dragged by its upright edge nearest to the camera, at three heights."""
    boxy = [k for k, thing in enumerate(scene.things) if SHAPES[thing.shape].half is not None]
    if not boxy:
        return None
    k = rng.choice(boxy)
    thing = scene.things[k]
    after = scene.with_thing(k, replace(thing, yaw=thing.yaw + rng.choice((-1, 1)) * rng.uniform(*TURNED)))
    half = SHAPES[thing.shape].half
    assert half is not None
    corners = [(half[0] * a, half[1] * b) for a in (-1, 1) for b in (-1, 1)]
    corner = min(corners, key=lambda c: _world(thing, c)[1])
    points = tuple(
        (_seen(scene, thing, corner, h, frame), _seen(after, after.things[k], corner, h, frame)) for h in HEIGHTS
    )
    drawn = render([scene, after, scene.without(k)], *frame)
    before, truth, without = (photo[None] for photo in (drawn.photos * 255).round() / 255)
    if float(drawn.masks[0, k].mean()) < LEAST_SHARE:
        return None
    region = ((touched_mask(before, without) + touched_mask(truth, without)) > 0).float()
    return DragCase("", scene.caption, points, Move(thing.phrase, by=(0.0, 0.0)), before, truth, region)


def _world(thing: Thing, place: Point) -> Point:
    """A place in a thing's own frame and units, on the table."""
    c, s = math.cos(thing.yaw), math.sin(thing.yaw)
    return (
        thing.x + thing.size * (c * place[0] - s * place[1]),
        thing.y + thing.size * (s * place[0] + c * place[1]),
    )


def _seen(scene: Scene, thing: Thing, place: Point, height: float, frame: Frame) -> Point:
    """Where a place of a thing is seen, at a share of its height."""
    x, y, _ = project(scene, (*_world(thing, place), height * SHAPES[thing.shape].height * thing.size), *frame)
    return x, y


def drag_is_right(case: DragCase, result: Tensor) -> bool:
    """Of the pixels at which photo and truth can be told apart most are nearer to the truth."""
    told = (case.region > 0.5) & ((case.truth - case.before).abs().amax(1, keepdim=True) > DIFFERS)
    wrong = ~nearer(result, case.truth, case.before)
    return float(wrong[told].float().mean()) <= MOST_WRONG
