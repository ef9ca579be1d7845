"""How far down the camera of a photo looked, as its upright lines tell, which meet far below the frame, and the
outlines of its objects: seen from higher up they show more of their tops."""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from realedit.geometry.camera import USUAL_PITCH, Camera
from realedit.geometry.object_pose import UNFAMILIAR, Outline, stance
from realedit.images import at_most

FINE, COARSE = 1024, 256  # pixels of the longer side, of the shorter: what lines are looked for at most, at least
SHORTEST = 0.06  # of the shorter side: of shorter lines the direction is unsure
STEEPEST = 0.5  # sideways per down: lines that lean more are not upright
SPREAD = math.radians(10)  # of pitches around the usual one, before anything is seen
PITCHES = np.radians(np.linspace(-15, 60, 151))
STRAY = 0.6  # of the lines are upright in the picture alone: patterns, edges of what tapers
TRIED = np.radians(np.linspace(-15, 60, 11))  # pitches for which solids are fitted to outlines
SAYINGS = 8  # as many things an outline says of how well a solid fits, each as likely off as all are
BLURRED = 0.005  # of the extent: by how much outlines are off anyway
LEAN, ENDS = 0.015, 0.004  # by how much upright things lean by themselves; how far a line's ends are off


def estimation_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) at which lines are looked for in a photo of this size."""
    return at_most(size, FINE)


def camera_of(camera: Camera, picture: np.ndarray, outlines: Sequence[Outline] = ()) -> Camera:
    """The camera that took a photo, held level, with the pitch that is the mean of what is likely, given the lines of
    the photo's `picture` (H, W, 3) uint8 that look upright and the `outlines` of objects that stand there. Without
    either it is a usual one."""
    likely = said_by_lines(upright_lines(picture), camera.focal)
    for outline in outlines:
        likely = likely + said_by_outline(outline, camera)
    return replace(camera, pitch=estimated_pitch(likely))


def upright_lines(picture: np.ndarray) -> np.ndarray:
    """The lines (n, 4) of a picture (H, W, 3) uint8 that are not far from upright: both ends (x, y, x, y) in shorter
    sides from the picture's middle."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    enlarged = -(-COARSE // min(grey.shape))
    grey = cv2.resize(grey, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    height, width = grey.shape
    ends = (found.reshape(-1, 4) - np.array((width, height, width, height)) / 2) / min(width, height)
    across, down = (ends[:, 2:] - ends[:, :2]).T
    return ends[(np.hypot(across, down) > SHORTEST) & (np.abs(across) < STEEPEST * np.abs(down))]


def said_by_lines(lines: np.ndarray, focal: float) -> np.ndarray:
    """How likely each of the `PITCHES` makes `lines` (n, 4) as above, as logarithms: upright things are seen to
    converge towards a point 1 / tan(pitch) focal lengths below the middle."""
    k = np.tan(PITCHES) / focal
    likely = np.zeros_like(PITCHES)
    for x0, y0, x1, y1 in lines:
        x, y, lean = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / (y1 - y0)
        width = math.hypot(LEAN, ENDS / math.hypot(x1 - x0, y1 - y0))
        off = (lean + x * k / (1 - y * k)) / width
        upright = np.exp(-0.5 * off**2) / (width * math.sqrt(2 * math.pi))
        likely = likely + np.log(STRAY / (2 * STEEPEST) + (1 - STRAY) * upright)
    return likely


def said_by_outline(outline: Outline, camera: Camera) -> np.ndarray:
    """How likely each of the `PITCHES` of this camera makes an `outline`, as logarithms: the likelier the better some
    upright solid fits it, by factors, since how well solids can resemble the thing is not known. What none resembles
    says nothing, nor does the frame's edge, of what it cuts off."""
    if outline.cut:
        return np.zeros_like(PITCHES)
    misfits = np.array([stance(outline, replace(camera, pitch=float(pitch))).misfit for pitch in TRIED])
    misfits = np.exp(PchipInterpolator(TRIED, np.log(misfits))(PITCHES))
    return np.asarray(np.log1p((UNFAMILIAR / np.hypot(misfits, BLURRED)) ** SAYINGS))


def estimated_pitch(likely: np.ndarray) -> float:
    """The mean pitch, in radians, given how likely each of the `PITCHES` makes what is seen, as logarithms."""
    likely = likely - 0.5 * ((PITCHES - USUAL_PITCH) / SPREAD) ** 2
    weights = np.exp(likely - likely.max())
    return float((weights * PITCHES).sum() / weights.sum())
