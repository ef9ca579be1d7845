"""Scenes as tensors: many at once, padded to the same number of objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samples.looks import MATERIALS, PATTERNS
from samples.scenes import COLOURS, TABLES, WALLS, Scene
from samples.shapes import SHAPES

MAX_THINGS, MAX_SEGMENTS = 3, 3


@dataclass(frozen=True, eq=False)
class Batch:
    place: Tensor  # (B, K, 2)
    size: Tensor  # (B, K)
    yaw: Tensor  # (B, K)
    present: Tensor  # (B, K) bool
    segments: Tensor  # (B, K, S, 5): a, b, c, low, high; absent ones have high < low
    half: Tensor  # (B, K, 3)
    boxy: Tensor  # (B, K) bool
    hollow: Tensor  # (B, K) bool
    radius: Tensor  # (B, K) in world units
    colour: Tensor  # (B, K, 3)
    pattern: Tensor  # (B, K)
    material: Tensor  # (B, K)
    table: Tensor  # (B,)
    wall: Tensor  # (B,)
    eye: Tensor  # (B, 3)
    light: Tensor  # (B, 3)
    ambient: Tensor  # (B,)
    wall_y: Tensor  # (B,)
    grain: Tensor  # (B, 4)
    window: Tensor  # (B, 3)


def stack(scenes: Sequence[Scene]) -> Batch:
    """Turn the values into tensors, absent objects and segments padded so that no ray meets them."""
    empty = (0.0, 0.0, 0.0, 1.0, 0.0)

    def per_thing(read, missing):
        return torch.tensor([[read(t) for t in s.things] + [missing] * (MAX_THINGS - len(s.things)) for s in scenes])

    def segments(thing):
        rows = [(s.a, s.b, s.c, s.low, s.high) for s in SHAPES[thing.shape].segments]
        return rows + [empty] * (MAX_SEGMENTS - len(rows))

    shape = SHAPES
    return Batch(
        place=per_thing(lambda t: (t.x, t.y), (0.0, 0.0)),
        size=per_thing(lambda t: t.size, 1.0),
        yaw=per_thing(lambda t: t.yaw, 0.0),
        present=per_thing(lambda t: True, False),
        segments=per_thing(segments, [empty] * MAX_SEGMENTS),
        half=per_thing(lambda t: shape[t.shape].half or (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
        boxy=per_thing(lambda t: shape[t.shape].half is not None, False),
        hollow=per_thing(lambda t: shape[t.shape].hollow, False),
        radius=per_thing(lambda t: shape[t.shape].radius * t.size, 1.0),
        colour=per_thing(lambda t: COLOURS[t.colour], (0.0, 0.0, 0.0)),
        pattern=per_thing(lambda t: PATTERNS.index(t.pattern), 0),
        material=per_thing(lambda t: MATERIALS.index(t.material), 0),
        table=torch.tensor([list(TABLES).index(s.table) for s in scenes]),
        wall=torch.tensor([list(WALLS).index(s.wall) for s in scenes]),
        eye=torch.tensor([(0.0, -s.camera[0], s.camera[1]) for s in scenes]),
        light=torch.tensor([s.light for s in scenes]),
        ambient=torch.tensor([s.ambient for s in scenes]),
        wall_y=torch.tensor([s.wall_y for s in scenes]),
        grain=torch.tensor([s.grain for s in scenes]),
        window=torch.tensor([s.window for s in scenes]),
    )
