"""What surfaces look like: colour as a function of the place on the surface. Linear light.

Every texture varies slowly against a pixel at 128 px, so that it can be seen and reconstructed."""

import math

import torch
from torch import Tensor


def object_albedo(local: Tensor, colour: Tensor, pattern: Tensor) -> Tensor:
    """Paint an object. `local` (B, N, 3) in its own frame, `colour` (B, N, 3), `pattern` (B, N):
    0 plain, 1 striped (rings), 2 spotted, 3 checked. The second colour is white, or dark on light."""
    x, y, z = local.unbind(-1)
    angle = torch.atan2(y, x) / math.pi
    second = torch.where(colour.amin(-1, keepdim=True) > 0.7, torch.tensor(0.12), torch.tensor(0.9))
    striped = (z * 1.6 + 0.2).frac() < 0.35
    row = (z * 1.8).floor()
    u, v = (angle * 3 + 0.5 * (row % 2)).remainder(1) - 0.5, (z * 1.8).remainder(1) - 0.5
    spotted = u * u * 1.2 + v * v < 0.09
    checked = ((angle * 4).floor() + (z * 1.7).floor()) % 2 == 0
    marked = torch.stack((torch.zeros_like(striped), striped, spotted, checked), -1)
    marked = marked.gather(-1, pattern[..., None])
    return torch.where(marked, second, colour)


def table_albedo(point: Tensor, kind: Tensor, grain: Tensor) -> Tensor:
    """Colour of the table at points (B, N, 3); `kind` (B,) indexes the table names."""
    x, y = point[..., 0], point[..., 1]
    g = grain[:, :, None]
    warp = 0.25 * torch.sin(1.3 * x + 6 * g[:, 0]) + 0.1 * torch.sin(3.1 * x + 2.0 * y + 6 * g[:, 1])
    rings = 0.5 + 0.5 * torch.sin((5 + 3 * g[:, 2]) * (y + warp) + 6 * g[:, 3])
    plank = ((y + 4) * 1.1 + g[:, 0]).floor()
    tone = 0.12 * torch.sin(plank * 12.9898 + 40 * g[:, 1])
    vein = torch.sin(2.2 * x + 3.0 * y + 2.5 * torch.sin(1.7 * x - 1.1 * y + 6 * g[:, 2]) + 6 * g[:, 0])
    vein = (1 - vein.abs()).clamp(min=0) ** 3
    cells = ((x * 2.0 + g[:, 0]).floor() + (y * 2.0 + g[:, 1]).floor()) % 2
    lines = ((x * 1.6 + g[:, 0]).remainder(1) < 0.5).float()

    def mix(first, second, share):
        first, second = torch.tensor(first), torch.tensor(second)
        return first + (second - first) * share[..., None]

    flat = torch.zeros_like(x)
    return _choose(
        kind,
        (
            mix((0.42, 0.22, 0.09), (0.62, 0.36, 0.16), (rings * 0.8 + tone).clamp(0, 1)),
            mix((0.10, 0.05, 0.03), (0.20, 0.11, 0.06), (rings * 0.8 + tone).clamp(0, 1)),
            mix((0.78, 0.77, 0.74), (0.48, 0.48, 0.50), vein * 0.8),
            mix((0.80, 0.79, 0.77), (0, 0, 0), flat),
            mix((0.30, 0.31, 0.33), (0, 0, 0), flat),
            mix((0.75, 0.73, 0.70), (0.55, 0.10, 0.10), cells),
            mix((0.12, 0.22, 0.45), (0, 0, 0), flat),
            mix((0.75, 0.73, 0.68), (0.20, 0.38, 0.30), lines),
        ),
    )


def wall_albedo(point: Tensor, kind: Tensor, grain: Tensor) -> Tensor:
    """Colour of the wall at points (B, N, 3); `kind` (B,) indexes the wall names."""
    x, z = point[..., 0], point[..., 2]
    g = grain[:, :, None]
    row = (z * 3.2).floor()
    u, v = (x * 1.6 + 0.5 * (row % 2) + g[:, 0]).remainder(1), (z * 3.2).remainder(1)
    joint = ((u < 0.07) | (v < 0.14)).float()
    stripe = ((x * 1.3 + g[:, 1]).remainder(1) < 0.5).float()
    shade = (1 - 0.12 * z)[..., None]

    def plain(rgb):
        return torch.tensor(rgb).expand_as(point)

    def mix(first, second, share):
        return plain(first) + (plain(second) - plain(first)) * share[..., None]

    return shade * _choose(
        kind,
        (
            plain((0.75, 0.75, 0.73)),
            plain((0.38, 0.39, 0.40)),
            plain((0.68, 0.58, 0.42)),
            plain((0.30, 0.44, 0.60)),
            plain((0.33, 0.48, 0.32)),
            mix((0.45, 0.16, 0.10), (0.55, 0.50, 0.45), joint),
            mix((0.70, 0.66, 0.58), (0.52, 0.42, 0.46), stripe),
        ),
    )


def _choose(kind: Tensor, options: tuple[Tensor, ...]) -> Tensor:
    """The option of each scene: kind (B,), options each (B, N, 3)."""
    return torch.stack([options[int(k)][i] for i, k in enumerate(kind)])
