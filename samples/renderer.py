"""A batched ray tracer for the scenes: exact intersections, soft shadows, a few textures.

`render(scenes, width, height)` draws a list of scenes at once. Rays are `(B, N, 3)` tensors, the
objects' segments `(B, K, S)`; everything that is not a tensor was decided in `scenes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samples.scenes import COLOURS, FOCAL, LOOK_AT, MATERIALS, PATTERNS, TABLES, WALLS, Scene
from samples.shapes import SHAPES
from samples.surfaces import object_albedo, table_albedo, wall_albedo

MAX_THINGS, MAX_SEGMENTS = 3, 3
FAR = 1e6
CHUNK = 4  # scenes traced together: keeps the ray tensors inside the processor's cache


@dataclass(frozen=True, eq=False)
class Render:
    """`photos` (B, 3, H, W) in [0, 1]; `masks` (B, K, H, W): the visible share of each object."""

    photos: Tensor
    masks: Tensor


@dataclass(frozen=True, eq=False)
class _Batch:
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


@torch.no_grad()
def render(scenes: Sequence[Scene], width: int = 128, height: int = 128) -> Render:
    """Draw scenes at a size in pixels, four samples a pixel, each with its own point on the lamp."""
    parts = [_draw(scenes[i : i + CHUNK], width, height) for i in range(0, len(scenes), CHUNK)]
    return Render(torch.cat([p.photos for p in parts]), torch.cat([p.masks for p in parts]))


def touched_mask(before: Tensor, after: Tensor) -> Tensor:
    """(B, 3, H, W) twice -> (B, 1, H, W): 1 where two renders of an edit visibly differ.

    Between a scene and the scene without an object this is the object with its shadow."""
    return ((before - after).abs().amax(1, keepdim=True) > 6 / 255).float()


def _draw(scenes: Sequence[Scene], width: int, height: int) -> Render:
    batch = _stack(scenes)
    photo = torch.zeros(len(scenes), width * height, 3)
    masks = torch.zeros(len(scenes), MAX_THINGS, width * height)
    offsets = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))
    for index, (ox, oy) in enumerate(offsets):
        origin, direction = _rays(batch, width, height, ox, oy)
        lamp = batch.light + 0.35 * torch.tensor([(-1, 0, 1), (1, 0, -1), (0, 1, 1), (0, -1, -1)][index])
        colour, owner = _shade(batch, origin, direction, lamp)
        photo = photo + colour
        masks = masks + (owner[:, None] == torch.arange(MAX_THINGS)[None, :, None]).float()
    count, shape = len(offsets), (len(scenes), -1, height, width)
    linear = (photo / count).clamp(0, 1)
    return Render(linear.pow(1 / 2.2).transpose(1, 2).contiguous().view(shape), (masks / count).reshape(shape))


def _stack(scenes: Sequence[Scene]) -> _Batch:
    """Turn the values into tensors, absent objects and segments padded so that no ray meets them."""
    empty = (0.0, 0.0, 0.0, 1.0, 0.0)

    def per_thing(read, missing):
        return torch.tensor([[read(t) for t in s.things] + [missing] * (MAX_THINGS - len(s.things)) for s in scenes])

    def segments(thing):
        rows = [(s.a, s.b, s.c, s.low, s.high) for s in SHAPES[thing.shape].segments]
        return rows + [empty] * (MAX_SEGMENTS - len(rows))

    shape = SHAPES
    return _Batch(
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
    )


def _rays(batch: _Batch, width: int, height: int, ox: float, oy: float) -> tuple[Tensor, Tensor]:
    """One ray through every pixel at a sub-pixel offset: origin (B, 1, 3), direction (B, N, 3)."""
    short = min(width, height)
    x = (torch.arange(width) + 0.5 + ox - width / 2) / (FOCAL * short)
    y = (height / 2 - torch.arange(height) - 0.5 - oy) / (FOCAL * short)
    v, u = torch.meshgrid(y, x, indexing="ij")
    forward = torch.tensor(LOOK_AT) - batch.eye
    forward = forward / forward.norm(dim=-1, keepdim=True)
    fy, fz = forward[:, 1, None], forward[:, 2, None]
    u, v = u.reshape(1, -1), v.reshape(1, -1)
    direction = torch.stack((u.expand(len(fy), -1), fy - v * fz, fz + v * fy), -1)
    return batch.eye[:, None], direction / direction.norm(dim=-1, keepdim=True)


def _local(batch: _Batch, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Rays in each object's own frame: (B, N, 3) -> (B, K, N, 3), lengths kept in world units."""
    c, s = batch.yaw.cos()[..., None], batch.yaw.sin()[..., None]
    scale = batch.size[..., None, None]

    def turn(vector: Tensor, x: Tensor | float, y: Tensor | float) -> Tensor:
        vx, vy, vz = (vector[:, None, :, i] for i in range(3))
        vx, vy = vx - x, vy - y
        return torch.stack(torch.broadcast_tensors(c * vx + s * vy, c * vy - s * vx, vz), -1)

    px, py = batch.place[..., 0, None], batch.place[..., 1, None]
    return turn(origin, px, py) / scale, turn(direction, 0.0, 0.0) / scale


def _hit_segments(batch: _Batch, o: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Nearest meeting with the stacked segments, each (B, K, N): distance, and the normal there as
    (x * side, y * side, up) for the hit point's own x and y."""
    ox, oy, oz = o.unbind(-1)
    dx, dy, dz = d.unbind(-1)
    flat, steep = dx * dx + dy * dy, dz * dz
    along, across = ox * dx + oy * dy, ox * ox + oy * oy
    level_dz = torch.where(dz.abs() < 1e-9, 1e-9, dz)
    best = torch.full(torch.broadcast_shapes(ox.shape, dx.shape), FAR)
    side, up = torch.zeros_like(best), torch.zeros_like(best)
    for s in range(MAX_SEGMENTS):
        a, b, c, low, high = batch.segments[:, :, s, :, None].unbind(2)
        qa = flat - c * steep
        qa = torch.where(qa.abs() < 1e-9, 1e-9, qa)
        qb = along - dz * (0.5 * b + c * oz)
        square = qb * qb - qa * (across - a - oz * (b + c * oz))
        root = square.clamp(min=0).sqrt()
        for t in ((-qb - root) / qa, (root - qb) / qa):
            z = oz + t * dz
            hit = (square >= 0) & (t > 1e-4) & (t < best) & (z >= low) & (z <= high)
            best = torch.where(hit, t, best)
            side = torch.where(hit, 1.0, side)
            up = torch.where(hit, -(0.5 * b + c * z), up)
        for level, sign in ((low, -1.0), (high, 1.0)):
            t = (level - oz) / level_dz
            inside = across + t * (2 * along + t * flat) <= a + level * (b + c * level)
            hit = inside & (t > 1e-4) & (t < best) & (high > low)
            best = torch.where(hit, t, best)
            side = torch.where(hit, 0.0, side)
            up = torch.where(hit, sign, up)
    return best, side, up


def _hit_boxes(batch: _Batch, o: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    half = batch.half[:, :, None]
    centred = o - half * torch.tensor((0.0, 0.0, 1.0))
    d = torch.where(d.abs() < 1e-9, 1e-9, d)
    reach = half * d.sign()
    t_near, axis = ((-reach - centred) / d).max(-1)
    hit = (t_near > 1e-4) & (t_near < ((reach - centred) / d).amin(-1))
    return torch.where(hit, t_near, FAR), axis


def _distances(batch: _Batch, origin: Tensor, direction: Tensor) -> Tensor:
    """How far every object is along every ray: (B, K, N), FAR where it is missed."""
    o, d = _local(batch, origin, direction)
    t = torch.where(batch.boxy[..., None], _hit_boxes(batch, o, d)[0], _hit_segments(batch, o, d)[0])
    return torch.where(batch.present[..., None], t, FAR)


def _hit_objects(batch: _Batch, origin: Tensor, direction: Tensor):
    """The nearest object: index and distance (B, N), normal and place in its frame (B, N, 3)."""
    o, d = _local(batch, origin, direction)
    t_round, side, up = _hit_segments(batch, o, d)
    t_box, axis = _hit_boxes(batch, o, d)
    t = torch.where(batch.boxy[..., None], t_box, t_round)
    t, k = torch.where(batch.present[..., None], t, FAR).min(1)

    def pick(values: Tensor) -> Tensor:  # the nearest object's row of (B, K, N)
        return values.expand(-1, -1, k.shape[1]).gather(1, k[:, None])[:, 0]

    d = torch.stack([pick(d[..., i]) for i in range(3)], -1)
    local = torch.stack([pick(o[..., i]) for i in range(3)], -1) + t[..., None] * d
    side, up, axis = pick(side), pick(up), pick(axis)
    round_normal = torch.stack((local[..., 0] * side, local[..., 1] * side, up), -1)
    box_normal = torch.nn.functional.one_hot(axis, 3).float() * -d.sign()
    return k, t, torch.where(batch.boxy.gather(1, k)[..., None], box_normal, round_normal), local


def _shade(batch: _Batch, origin: Tensor, direction: Tensor, lamp: Tensor) -> tuple[Tensor, Tensor]:
    """Linear colour (B, N, 3) and the index of the object seen, -1 for table and wall (B, N)."""
    k, t_obj, n, local = _hit_objects(batch, origin, direction)
    dz, dy = direction[..., 2], direction[..., 1]
    t_table = torch.where(dz < -1e-6, -origin[..., 2] / dz.clamp(max=-1e-6), FAR)
    t_wall = torch.where(dy > 1e-6, (batch.wall_y[:, None] - origin[..., 1]) / dy.clamp(min=1e-6), FAR)
    t_back = torch.minimum(t_table, t_wall)
    seen = t_obj < t_back
    point = origin + torch.minimum(t_obj, t_back)[..., None] * direction

    def of(values: Tensor) -> Tensor:  # the seen object's value of (B, K)
        return values.gather(1, k)

    flat = torch.where((t_table < t_wall)[..., None], torch.tensor((0.0, 0.0, 1.0)), torch.tensor((0.0, -1.0, 0.0)))
    cos, sin = of(batch.yaw).cos(), of(batch.yaw).sin()
    n = torch.stack((cos * n[..., 0] - sin * n[..., 1], sin * n[..., 0] + cos * n[..., 1], n[..., 2]), -1)
    n = n / n.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    normal = torch.where(seen[..., None], n, flat)

    colour = torch.stack([of(batch.colour[..., i]) for i in range(3)], -1)
    opening = of(batch.hollow) & (n[..., 2] > 0.99)
    paint = object_albedo(local, colour, of(batch.pattern))
    paint = torch.where(opening[..., None], 0.25 * colour, paint)
    back = torch.where(
        (t_table < t_wall)[..., None],
        table_albedo(point, batch.table, batch.grain),
        wall_albedo(point, batch.wall, batch.grain),
    )
    albedo = torch.where(seen[..., None], paint, back)
    owner = torch.where(seen, k, -1)
    return _light(batch, point, normal, direction, albedo, seen, of(batch.material), lamp), owner


def _light(batch, point, normal, direction, albedo, seen, material, lamp) -> Tensor:
    """Lamp with shadows, ambient light that objects block near the table, and highlights."""
    to_lamp = lamp[:, None] - point
    distance = to_lamp.norm(dim=-1, keepdim=True)
    to_lamp = to_lamp / distance
    blockers = _distances(batch, point + 2e-3 * normal, to_lamp)
    lit = (blockers.amin(1) > distance[..., 0]).float()
    diffuse = (normal * to_lamp).sum(-1).clamp(min=0) * lit

    gap = (point[:, None, :, :2] - batch.place[:, :, None]).norm(dim=-1) / batch.radius[..., None]
    height = point[:, None, :, 2] / batch.radius[..., None]
    blocked = batch.present[..., None] * torch.exp(-1.6 * (gap - 0.5).clamp(min=0) - 1.5 * height)
    open_sky = torch.where(seen, 0.8 + 0.2 * normal[..., 2], 1 - 0.55 * blocked.amax(1))

    mirror = direction - 2 * (direction * normal).sum(-1, keepdim=True) * normal
    gleam = (mirror * to_lamp).sum(-1).clamp(min=0)
    shiny, metal = seen & (material >= 1), seen & (material == 2)
    colour = albedo * (batch.ambient[:, None] * open_sky + 0.75 * diffuse)[..., None]
    sky = (0.25 + 0.75 * (mirror[..., 2:] * 0.5 + 0.5)) * (0.4 + 0.6 * albedo)
    colour = torch.where(metal[..., None], 0.45 * colour + 0.4 * sky * albedo.sqrt(), colour)
    return colour + (shiny * lit * 0.8 * gleam**40)[..., None]
