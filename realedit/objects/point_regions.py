"""What lies at points of a photo: the region around them that stands out best, of those found at several scales."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from inversion.errors import EditError
from realedit.geometry.transform import Point
from realedit.morphology import distance_inside, touching
from realedit.objects.graph_cut import (
    LIKELY_GROUND,
    LIKELY_OBJECT,
    SURE_GROUND,
    SURE_OBJECT,
    grab_cut,
)

SCALES = 0.03, 0.05, 0.08, 0.12, 0.18, 0.26, 0.36  # of the shorter side: how far from a point it is likely the object
SURE_NEAR, NEVER_BEYOND = 0.35, 2.2  # of a scale: how near a point is surely the object, and from where on none of it
SCALE_ROUNDS = 3  # of GrabCut at each scale
SMALLEST_REGION, LARGEST_REGION = 30, 0.7  # pixels, and of the picture: what an object may cover
FAINTEST_OUTLINE = 6.0  # CIELAB units over a pixel: the mean contrast that an object's outline has at least
RING_WIDTH = 0.25  # of the root of a region's area: how wide the surroundings are that it is told from
SIZE_EXPONENT = 0.2  # how much a larger region is preferred: a patch on an object stands out too
FRAME_PENALTY = 3.0  # for each share of an outline that is the photo's frame, where nothing tells what is beyond
COLOUR_BINS = (8, 16, 16)  # of lightness and the two opponent colours, in which colours are counted


@dataclass(frozen=True)
class Seeds:
    """Points (fractions) `inside` an object, at least one, and `outside` it."""

    inside: tuple[Point, ...]
    outside: tuple[Point, ...] = ()


def region_at(rgb: np.ndarray, seeds: Seeds) -> np.ndarray:
    """The region (H, W) of a small picture (H, W, 3) uint8 that holds the points inside and none outside.

    Raises:
        EditError: nothing there stands out from its surroundings.
    """
    standing_out = _StandingOut(rgb)
    near, never = _distance(rgb, seeds.inside), _distance(rgb, seeds.outside)
    regions = [_region(rgb, near, never, scale) for scale in SCALES]
    rates = [standing_out.rate(region) for region in regions]
    best = int(np.argmax(rates))
    if rates[best] <= 0:
        x, y = seeds.inside[0]
        raise EditError(
            f"nothing at the point {x:g},{y:g} stands out from what is around it; "
            "give another --point, a --box around the object, or a --mask"
        )
    return regions[best]


def _distance(rgb: np.ndarray, points: tuple[Point, ...]) -> np.ndarray:
    """How far every pixel (H, W) is from the nearest of the points, in shorter sides."""
    height, width = rgb.shape[:2]
    marked = np.zeros((height, width), bool)
    for x, y in points:
        marked[min(height - 1, int(y * height)), min(width - 1, int(x * width))] = True
    return distance_inside(~marked) / min(height, width)


def _region(rgb: np.ndarray, near: np.ndarray, never: np.ndarray, scale: float) -> np.ndarray:
    """What is found if the object is about as large as a scale, given the distances from points in and outside it."""
    labels = np.full(near.shape, LIKELY_GROUND, np.uint8)
    labels[near < scale] = LIKELY_OBJECT
    labels[near > NEVER_BEYOND * scale] = SURE_GROUND
    labels[(never < SURE_NEAR * scale) & (never < near)] = SURE_GROUND
    labels[(near < SURE_NEAR * scale) & (near <= never)] = SURE_OBJECT
    found = grab_cut(rgb, labels, SCALE_ROUNDS)
    return np.asarray(ndimage.binary_fill_holes(touching(found, near == 0)) & (never > 0))


class _StandingOut:
    """How well regions of a picture (H, W, 3) uint8 stand out from what is around them."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.contrast = contrast(rgb)
        lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(int)
        bins = [lab[..., k] * count // 256 for k, count in enumerate(COLOUR_BINS)]
        self.colour = np.ravel_multi_index(tuple(bins), COLOUR_BINS)

    def rate(self, region: np.ndarray) -> float:
        """The contrast along its outline times how different its colours are; 0 where it is no object."""
        if region.sum() < SMALLEST_REGION or region.mean() > LARGEST_REGION:
            return 0.0
        outline = outline_of(region)
        frame = sum(int(side.sum()) for side in (region[0], region[-1], region[:, 0], region[:, -1]))
        strength = float(self.contrast[outline].mean())
        if strength < FAINTEST_OUTLINE:
            return 0.0
        closed = max(0.0, 1 - FRAME_PENALTY * frame / (frame + outline.sum() / 2))
        return float(strength * np.sqrt(self._difference(region)) * region.mean() ** SIZE_EXPONENT * closed)

    def _difference(self, region: np.ndarray) -> float:
        """One less the overlap of the colours inside with those of a ring around (Bhattacharyya's coefficient)."""
        away = distance_inside(~region)
        ring = (away > 1.5) & (away <= max(3.0, RING_WIDTH * np.sqrt(region.sum())))  # without the mixed rim
        inside, around = (
            np.bincount(self.colour[where], minlength=int(np.prod(COLOUR_BINS))) / max(1, where.sum())
            for where in (region, ring)
        )
        return float(1 - np.sqrt(inside * around).sum())


def contrast(rgb: np.ndarray) -> np.ndarray:
    """The largest change of colour within a pixel of every pixel (H, W), in CIELAB units over a pixel."""
    lab = cv2.GaussianBlur(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), 1.0)
    slopes = [
        cv2.Sobel(np.ascontiguousarray(lab[..., k]), cv2.CV_32F, *axis, scale=0.25)
        for k in range(3)
        for axis in ((1, 0), (0, 1))
    ]
    return cv2.dilate(np.sqrt(sum(slope**2 for slope in slopes)), np.ones((3, 3), np.uint8))


def outline_of(region: np.ndarray) -> np.ndarray:
    """The pixels (H, W) on both sides of a region's edge; the picture's own frame is none."""
    padded, three = np.pad(region.astype(np.uint8), 1, mode="edge"), np.ones((3, 3), np.uint8)
    return np.asarray((cv2.dilate(padded, three) != cv2.erode(padded, three))[1:-1, 1:-1])
