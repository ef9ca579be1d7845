"""Where rays meet objects: exact, for solids of revolution and boxes. Rays are (B, N, 3), one set a scene."""

import torch
from torch import Tensor

from samples.batches import MAX_SEGMENTS, Batch

FAR = 1e6


def _local(batch: Batch, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Rays in each object's own frame: (B, N, 3) -> (B, K, N, 3), lengths kept in world units."""
    c, s = batch.yaw.cos()[..., None], batch.yaw.sin()[..., None]
    scale = batch.size[..., None, None]

    def turn(vector: Tensor, x: Tensor | float, y: Tensor | float) -> Tensor:
        vx, vy, vz = (vector[:, None, :, i] for i in range(3))
        vx, vy = vx - x, vy - y
        return torch.stack(torch.broadcast_tensors(c * vx + s * vy, c * vy - s * vx, vz), -1)

    px, py = batch.place[..., 0, None], batch.place[..., 1, None]
    return turn(origin, px, py) / scale, turn(direction, 0.0, 0.0) / scale


def _hit_segments(batch: Batch, o: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor]:
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


def _hit_boxes(batch: Batch, o: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    half = batch.half[:, :, None]
    centred = o - half * torch.tensor((0.0, 0.0, 1.0))
    d = torch.where(d.abs() < 1e-9, 1e-9, d)
    reach = half * d.sign()
    t_near, axis = ((-reach - centred) / d).max(-1)
    hit = (t_near > 1e-4) & (t_near < ((reach - centred) / d).amin(-1))
    return torch.where(hit, t_near, FAR), axis


def distances(batch: Batch, origin: Tensor, direction: Tensor) -> Tensor:
    """How far every object is along every ray: (B, K, N), FAR where it is missed."""
    o, d = _local(batch, origin, direction)
    t = torch.where(batch.boxy[..., None], _hit_boxes(batch, o, d)[0], _hit_segments(batch, o, d)[0])
    return torch.where(batch.present[..., None], t, FAR)


def hit_objects(batch: Batch, origin: Tensor, direction: Tensor):
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
