"""A batched ray tracer for the scenes: exact intersections, soft shadows, a few textures.

`render(scenes, width, height)` draws a list of scenes at once. Rays are `(B, N, 3)` tensors, the
objects' segments `(B, K, S)`; everything that is not a tensor was decided in `scenes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samples.batches import MAX_THINGS, Batch, stack
from samples.intersections import FAR, distances, hit_objects
from samples.scenes import FOCAL, LOOK_AT, Scene
from samples.surfaces import object_albedo, table_albedo, wall_albedo

CHUNK = 4  # scenes traced together: keeps the ray tensors inside the processor's cache


@dataclass(frozen=True, eq=False)
class Render:
    """`photos` (B, 3, H, W) in [0, 1]; `masks` (B, K, H, W): the visible share of each object."""

    photos: Tensor
    masks: Tensor


@torch.no_grad()
def render(scenes: Sequence[Scene], width: int = 128, height: int = 128, chunk: int = CHUNK) -> Render:
    """Draw scenes at a size in pixels, four samples a pixel, each with its own point on the lamp; `chunk` scenes at
    once. It draws on torch's default device."""
    parts = [_draw(scenes[i : i + chunk], width, height) for i in range(0, len(scenes), chunk)]
    return Render(torch.cat([p.photos for p in parts]), torch.cat([p.masks for p in parts]))


def touched_mask(before: Tensor, after: Tensor) -> Tensor:
    """(B, 3, H, W) twice -> (B, 1, H, W): 1 where two renders of an edit visibly differ.

    Between a scene and the scene without an object this is the object with its shadow."""
    return ((before - after).abs().amax(1, keepdim=True) > 6 / 255).float()


def _draw(scenes: Sequence[Scene], width: int, height: int) -> Render:
    batch = stack(scenes)
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


def _rays(batch: Batch, width: int, height: int, ox: float, oy: float) -> tuple[Tensor, Tensor]:
    """One ray through every pixel at a sub-pixel offset: origin (B, 1, 3), direction (B, N, 3)."""
    short = min(width, height)
    left, top, share = (w[:, None] for w in batch.window.unbind(1))
    x = left * width + share * (torch.arange(width) + 0.5 + ox)
    y = top * height + share * (torch.arange(height) + 0.5 + oy)
    u = ((x - width / 2) / (FOCAL * short))[:, None, :].expand(-1, height, -1).flatten(1)
    v = ((height / 2 - y) / (FOCAL * short))[:, :, None].expand(-1, -1, width).flatten(1)
    forward = torch.tensor(LOOK_AT) - batch.eye
    forward = forward / forward.norm(dim=-1, keepdim=True)
    fy, fz = forward[:, 1, None], forward[:, 2, None]
    direction = torch.stack((u, fy - v * fz, fz + v * fy), -1)
    return batch.eye[:, None], direction / direction.norm(dim=-1, keepdim=True)


def _shade(batch: Batch, origin: Tensor, direction: Tensor, lamp: Tensor) -> tuple[Tensor, Tensor]:
    """Linear colour (B, N, 3) and the index of the object seen, -1 for table and wall (B, N)."""
    k, t_obj, n, local = hit_objects(batch, origin, direction)
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
    blockers = distances(batch, point + 2e-3 * normal, to_lamp)
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
