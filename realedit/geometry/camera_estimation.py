"""How far down the camera of a photo looked, as its upright lines tell, which meet far below the frame, and the
outlines of its objects: seen from higher up they show more of their tops."""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from realedit.geometry.camera import TYPICAL_PITCH, Camera
from realedit.geometry.object_pose import LARGEST_RESIDUAL, Silhouette, fit_primitive
from realedit.images import at_most

LARGEST_LINE_SIDE, SMALLEST_LINE_SIDE = (
    1024,
    256,
)  # pixels of the longer side, of the shorter: what lines are looked for at most, at least
SHORTEST_LINE = 0.06  # of the shorter side: of shorter lines the direction is unsure
LARGEST_LEAN = 0.5  # sideways per down: lines that lean more are not upright
PITCH_SPREAD = math.radians(10)  # of pitches around the usual one, before anything is seen
PITCHES = np.radians(np.linspace(-15, 60, 151))
STRAY_LINES = 0.6  # of the lines are upright in the picture alone: patterns, edges of what tapers
FITTED_PITCHES = np.radians(np.linspace(-15, 60, 11))  # pitches for which solids are fitted to outlines
FIT_EVIDENCE = 8  # as many things an outline says of how well a solid fits, each as likely off as all are
SILHOUETTE_ERROR = 0.005  # of the extent: by how much outlines are off anyway
LEAN_SPREAD, LINE_END_ERROR = (
    0.015,
    0.004,
)  # by how much upright things lean by themselves; how far a line's ends are off


def estimation_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which lines are looked for in a photo of this size."""
    return at_most(size, LARGEST_LINE_SIDE)


def estimate_camera(camera: Camera, picture: np.ndarray, silhouettes: Sequence[Silhouette] = ()) -> Camera:
    """The camera that took a photo, held level, with the pitch that is the mean of what is likely, given the lines of
    the photo's `picture` (H, W, 3) uint8 that look upright and the `silhouettes` of objects that stand there. Without
    either it is a usual one."""
    likely = line_likelihood(upright_lines(picture), camera.focal)
    for outline in silhouettes:
        likely = likely + silhouette_likelihood(outline, camera)
    return replace(camera, pitch=mean_pitch(likely))


def upright_lines(picture: np.ndarray) -> np.ndarray:
    """The lines (n, 4) of a picture (H, W, 3) uint8 that are not far from upright: both ends (x, y, x, y) in shorter
    sides from the picture's middle."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    enlarged = -(-SMALLEST_LINE_SIDE // min(grey.shape))
    grey = cv2.resize(grey, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    height, width = grey.shape
    ends = (found.reshape(-1, 4) - np.array((width, height, width, height)) / 2) / min(width, height)
    across, down = (ends[:, 2:] - ends[:, :2]).T
    return ends[(np.hypot(across, down) > SHORTEST_LINE) & (np.abs(across) < LARGEST_LEAN * np.abs(down))]


def line_likelihood(lines: np.ndarray, focal: float) -> np.ndarray:
    """How likely each of the `PITCHES` makes `lines` (n, 4) as above, as logarithms: upright things are seen to
    converge towards a point 1 / tan(pitch) focal lengths below the middle."""
    k = np.tan(PITCHES) / focal
    likely = np.zeros_like(PITCHES)
    for x0, y0, x1, y1 in lines:
        x, y, lean = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / (y1 - y0)
        width = math.hypot(LEAN_SPREAD, LINE_END_ERROR / math.hypot(x1 - x0, y1 - y0))
        off = (lean + x * k / (1 - y * k)) / width
        upright = np.exp(-0.5 * off**2) / (width * math.sqrt(2 * math.pi))
        likely = likely + np.log(STRAY_LINES / (2 * LARGEST_LEAN) + (1 - STRAY_LINES) * upright)
    return likely


def silhouette_likelihood(silhouette: Silhouette, camera: Camera) -> np.ndarray:
    """How likely each of the `PITCHES` of this camera makes an `silhouette`, as logarithms: the likelier the better
    some upright solid fits it, by factors, since how well solids can resemble the thing is not known. What none
    resembles says nothing, nor does the frame's edge, of what it cuts off."""
    if silhouette.truncated:
        return np.zeros_like(PITCHES)
    misfits = np.array(
        [fit_primitive(silhouette, replace(camera, pitch=float(pitch))).residual for pitch in FITTED_PITCHES]
    )
    misfits = np.exp(PchipInterpolator(FITTED_PITCHES, np.log(misfits))(PITCHES))
    return np.asarray(np.log1p((LARGEST_RESIDUAL / np.hypot(misfits, SILHOUETTE_ERROR)) ** FIT_EVIDENCE))


def mean_pitch(likely: np.ndarray) -> float:
    """The mean pitch, in radians, given how likely each of the `PITCHES` makes what is seen, as logarithms."""
    likely = likely - 0.5 * ((PITCHES - TYPICAL_PITCH) / PITCH_SPREAD) ** 2
    weights = np.exp(likely - likely.max())
    return float((weights * PITCHES).sum() / weights.sum())
