"""The paints of an object: the one or two colours that its pixels have, in more light or less.

Light scales the colour of a matt surface and leaves its hue, so that pixels of one paint lie along one ray from black,
and those on the border of two paints between two rays. Replacing the paints then keeps shade, pattern
and edges; what the paints do not explain, such as a highlight, stays as it is.
"""

import math

import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)
DARK_LEVEL = 0.1  # of full brightness: below this a hue is hardly seen
LEAST_ANGLE, LEAST_ANGLE_SAMPLED = 5.0, 9.0  # degrees between two rays that are told apart
ALIKE_COLOURS = 0.2  # between two colours, up to which they may be one paint in a photo and as a model imagines it
SAME_COLOUR = (
    0.11  # between two colours, up to which they are one paint, in a photo and as a model imagines it in its light
)
LEAST_COVER = 0.08  # of an object's pixels that a paint covers; less is a highlight
LARGEST_SPREAD, LARGEST_SPREAD_SAMPLED = 0.25, 0.45  # of the variance, that two paints leave unexplained at most
# What brightness says against hue: of photos, where shadows fall, less than of what a model imagined, which is vague.
BRIGHTNESS_WEIGHT, BRIGHTNESS_WEIGHT_SAMPLED = 1 / 3, 1.0
DIFFUSE_RIDGE = 0.01  # squared brightness of a paint below which its pixels say little of the light on them
SPECULAR_RIDGE = 0.03  # the same of highlights: a paint that is nearly white itself shows none
LARGEST_RATIO = 1.7  # times as bright as the darker half of an object: more may be a pattern, and not all shade
MEANS_ROUNDS = 30


def body_colours(colours: Tensor) -> Tensor | None:
    """The paints (1 or 2, 3) of an object with these `colours` (n, 3); None if it has more than two."""
    two, covered, unexplained = two_means(colours, BRIGHTNESS_WEIGHT)
    if covered < LEAST_COVER or _angle(two[0], two[1]) < LEAST_ANGLE:
        return colours.mean(0, keepdim=True)
    return two if unexplained < LARGEST_SPREAD else None


def match_body_colours(paints: Tensor, colours: Tensor) -> Tensor:
    """The two paints (2, 3) of imagined `colours` (n, 3) in the places of these `paints` (2, 3), so that the two that
    are most alike share one. If they hardly differ, that paint stays as the photo has it."""
    two, _, _ = two_means(colours, BRIGHTNESS_WEIGHT_SAMPLED)
    apart = torch.cdist(
        hue_and_brightness(paints, BRIGHTNESS_WEIGHT_SAMPLED), hue_and_brightness(two, BRIGHTNESS_WEIGHT_SAMPLED)
    )
    new = two if min(apart[0, 0], apart[1, 1]) < min(apart[0, 1], apart[1, 0]) else two.flip(0)
    change = (new - paints).norm(dim=1)
    stays = (change < ALIKE_COLOURS) & (change == change.min())
    return torch.where(stays[:, None], paints, new)


def has_two_colours(colours: Tensor) -> bool:
    """Whether imagined `colours` (n, 3) are clearly those of two paints; a model's pictures of one are vague too."""
    two, covered, unexplained = two_means(colours, BRIGHTNESS_WEIGHT)
    return (
        covered > LEAST_COVER and _angle(two[0], two[1]) > LEAST_ANGLE_SAMPLED and unexplained < LARGEST_SPREAD_SAMPLED
    )


def may_have_two_shades(colours: Tensor) -> bool:
    """Whether an object's `colours` (n, 3) may be of two paints that differ in brightness alone, such as white and
    black, which shade cannot be told from."""
    dark, bright = (two_means(colours, BRIGHTNESS_WEIGHT)[0] @ colours.new_tensor(LUMA)).sort().values
    return bool(bright > LARGEST_RATIO * dark)


def shows_body_colours(paints: Tensor, colours: Tensor) -> bool:
    """Whether imagined `colours` (n, 3) are those of an object with these `paints` (k, 3): all of them, some, or
    others besides."""
    new = two_means(colours, BRIGHTNESS_WEIGHT)[0] if has_two_colours(colours) else colours.mean(0, keepdim=True)
    apart = torch.cdist(paints, new)
    return float(min(apart.amin(0).max(), apart.amin(1).max())) < SAME_COLOUR


def replace_body_colours(picture: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """A picture (1, 3, H, W) of an object with `new` paints (k, 3) for its `old` ones."""
    pixels = picture[0].flatten(1).T
    light = _light(pixels, old)
    return (pixels + light @ (new - old)).T.reshape(picture.shape).clamp(0, 1)


def replace_by_pattern(picture: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """A picture (1, 3, H, W) of an object that has `old` paints (k, 3) with a `new` one for each pixel
    (1, 3, H, W), in the light that falls on it there."""
    pixels = picture[0].flatten(1).T
    light = _light(pixels, old)
    painted = pixels - light @ old + light.sum(1, keepdim=True) * new[0].flatten(1).T
    return painted.T.reshape(picture.shape).clamp(0, 1)


def diffuse_and_specular(pixels: Tensor, paint: Tensor) -> Tensor:
    """In how much light every pixel (n, 3) shows a paint (1, 3), and how much of the lamp's own white lies over it:
    (n, 2), as factors (the dichromatic model of Shafer 1985)."""
    over = torch.cat([paint, torch.ones(1, 3)])
    seen = pixels @ over.T + pixels.new_tensor((DIFFUSE_RIDGE, 0))
    gram = over @ over.T + torch.diag(over.new_tensor((DIFFUSE_RIDGE, SPECULAR_RIDGE)))
    return seen @ torch.linalg.inv(gram)


def _light(pixels: Tensor, paints: Tensor) -> Tensor:
    """How much of each paint, in how much light, every pixel (n, 3) shows: factors (n, k) that are nowhere below 0."""
    alone = ((pixels @ paints.T + DIFFUSE_RIDGE) / (paints.square().sum(1) + DIFFUSE_RIDGE)).clamp(min=0)
    if len(paints) == 1:
        light = diffuse_and_specular(pixels, paints)
        return torch.where(light[:, 1:] < 0, alone, light[:, :1].clamp(min=0))
    both = pixels @ torch.linalg.pinv(paints)
    return torch.where(both.amin(1, keepdim=True) < 0, alone * (both >= 0), both)


def two_means(colours: Tensor, shade: float) -> tuple[Tensor, float, float]:
    """The means (2, 3) of two groups of colours (n, 3), the share of the smaller one, and that of the variance within
    them (2-means)."""
    points = hue_and_brightness(colours, shade)
    centred = points - points.mean(0)
    along = centred @ torch.linalg.svd(centred, full_matrices=False)[2][0]
    second = along > 0
    for _ in range(MEANS_ROUNDS):
        if second.all() or not second.any():
            break
        centres = torch.stack([points[~second].mean(0), points[second].mean(0)])
        nearer = torch.cdist(points, centres).argmin(1) == 1
        if (nearer == second).all():
            break
        second = nearer
    if second.all() or not second.any():
        return colours.mean(0).expand(2, 3), 0.0, 1.0
    groups = [points[~second], points[second]]
    within = sum(float((g - g.mean(0)).square().sum()) for g in groups)
    means = torch.stack([colours[~second].mean(0), colours[second].mean(0)])
    return means, min(len(g) for g in groups) / len(points), within / max(float(centred.square().sum()), 1e-9)


def hue_and_brightness(colours: Tensor, shade: float) -> Tensor:
    """Hue as a colour's distance from grey, relative to its brightness, and the brightness itself (n, 4)."""
    bright = (colours @ colours.new_tensor(LUMA))[:, None]
    return torch.cat([(colours - bright) / (bright + DARK_LEVEL), bright * shade], 1)


def _angle(one: Tensor, other: Tensor) -> float:
    """Between two colours as rays from black, in degrees."""
    cosine = float(one @ other / (one.norm() * other.norm()).clamp(min=1e-9))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
