"""Scenes seen from nearer: a part of the frame, around one of the objects, or anywhere on an empty table.

Editors look at small objects from near; a model that has only seen whole scenes draws them worse there.
"""

import random
from dataclasses import replace

from samples.scenes import Scene, caption_of, extent

CLOSEST = 0.25  # of the frame's sides: the smallest part that is shown
ROOM = 1.1  # how many times an object's extent the part is at least
SEEN = 0.6  # share of its box from which an object is named
Box = tuple[float, float, float, float]


def closer(scene: Scene, rng: random.Random, width: int, height: int) -> Scene:
    """The scene seen in a window of its frame, whole sides and down to `CLOSEST`, and a caption that names the objects
    of which most is seen there."""
    boxes = [extent(scene, thing, width, height) for thing in scene.things]
    if not boxes:
        return replace(scene, window=_window((0.0, 0.0, 1.0, 1.0), CLOSEST, rng))
    box = rng.choice(boxes)
    least = min(1.0, max(CLOSEST, ROOM * (box[2] - box[0]), ROOM * (box[3] - box[1])))
    window = _window(box, least, rng)
    named = [thing for thing, other in zip(scene.things, boxes, strict=True) if _seen(other, window) >= SEEN]
    return replace(scene, window=window, caption=caption_of(rng, scene, named))


def _window(box: Box, least: float, rng: random.Random) -> tuple[float, float, float]:
    """A window of at least this share of the frame, in which as much of the box lies as can."""
    share = least ** rng.random()  # as many between 1/4 and 1/2 as between 1/2 and 1
    corner = []
    for low, high in ((box[0], box[2]), (box[1], box[3])):
        first, last = sorted((high - share, low))  # between these the box is inside, or the window inside the box
        corner.append(min(max(rng.uniform(first, last), 0.0), 1 - share))
    return corner[0], corner[1], share


def _seen(box: Box, window: tuple[float, float, float]) -> float:
    """The share of a box that lies in a window."""
    left, top, share = window
    wide = min(box[2], left + share) - max(box[0], left)
    high = min(box[3], top + share) - max(box[1], top)
    return max(wide, 0.0) * max(high, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))
