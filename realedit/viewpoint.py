"""How far down the camera of a photo looked, as its upright lines tell: they meet far below the frame."""

import math

import cv2
import numpy as np

from realedit.camera import USUAL_FOCAL, Camera
from realedit.files.exif import focal_length
from realedit.files.photo import Photo
from realedit.images import at_most, to_bytes

FINE, COARSE = 1024, 256  # pixels of the longer side, of the shorter: what lines are looked for at most, at least
SHORTEST = 0.06  # of the shorter side: of shorter lines the direction is unsure
STEEPEST = 0.5  # sideways per down: lines that lean more are not upright
USUAL, SPREAD = math.radians(15), math.radians(10)  # before any line is seen: between streets (0) and tables (30)
PITCHES = np.radians(np.linspace(-15, 60, 151))
STRAY = 0.6  # of the lines are upright in the picture alone: patterns, edges of what tapers
LEAN, ENDS = 0.015, 0.004  # by how much upright things lean by themselves; how far a line's ends are off


def camera_of(photo: Photo) -> Camera:
    """The camera that took a photo, held level. The focal length is what the file says, else a usual one; the pitch
    is the mean of what is likely, given the lines that look upright. Without such lines it is a usual one too."""
    focal = focal_length(photo.exif, photo.size) or USUAL_FOCAL
    size = at_most(photo.size, FINE)
    return Camera(photo.size, estimated_pitch(upright_lines(to_bytes(photo.small(size))), focal), focal)


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


def estimated_pitch(lines: np.ndarray, focal: float) -> float:
    """The mean pitch, in radians, of a camera with this focal length, given `lines` (n, 4) as above: upright things
    are seen to converge towards a point 1 / tan(pitch) focal lengths below the middle."""
    k = np.tan(PITCHES) / focal
    likely = -0.5 * ((PITCHES - USUAL) / SPREAD) ** 2
    for x0, y0, x1, y1 in lines:
        x, y, lean = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / (y1 - y0)
        width = math.hypot(LEAN, ENDS / math.hypot(x1 - x0, y1 - y0))
        off = (lean + x * k / (1 - y * k)) / width
        upright = np.exp(-0.5 * off**2) / (width * math.sqrt(2 * math.pi))
        likely = likely + np.log(STRAY / (2 * STEEPEST) + (1 - STRAY) * upright)
    weights = np.exp(likely - likely.max())
    return float((weights * PITCHES).sum() / weights.sum())
