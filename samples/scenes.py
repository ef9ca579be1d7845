"""Scenes as values a person can write down: what stands where on which table, and its caption.

World units: the table is the plane z = 0, x points right, y away from the camera. A scene is made
from one integer seed; seeds from 1,000,000 on are held out and never trained on.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from samples.looks import COMMON, MATERIALS, PATTERNS, Looks
from samples.shapes import SHAPES

FIRST_HELD_OUT_SEED = 1_000_000

COLOURS = {
    "red": (0.80, 0.07, 0.06),
    "orange": (0.95, 0.42, 0.04),
    "yellow": (0.95, 0.80, 0.08),
    "green": (0.08, 0.50, 0.14),
    "blue": (0.07, 0.20, 0.75),
    "purple": (0.42, 0.10, 0.58),
    "pink": (0.96, 0.48, 0.66),
    "white": (0.92, 0.92, 0.90),
    "black": (0.05, 0.05, 0.06),
    "brown": (0.38, 0.20, 0.08),
}
TABLES = {
    "wooden": "wooden table",
    "dark": "dark wooden table",
    "marble": "marble table",
    "white": "white table",
    "grey": "grey table",
    "checked": "checked tablecloth",
    "blue": "blue tablecloth",
    "striped": "striped tablecloth",
}
WALLS = {
    "white": "white wall",
    "grey": "grey wall",
    "beige": "beige wall",
    "blue": "blue wall",
    "green": "green wall",
    "brick": "brick wall",
    "striped": "striped wall",
}
OPENINGS = ("a photo of", "a picture of", "a snapshot of", "a close photo of", "")
JOINS = (" and ", " next to ", " beside ", " with ")


@dataclass(frozen=True)
class Thing:
    """One object: its look, its place (x, y) on the table, its size and its turn in radians."""

    shape: str
    colour: str
    pattern: str
    material: str
    x: float
    y: float
    size: float
    yaw: float = 0.0

    @property
    def phrase(self) -> str:
        """The words of the caption that name this object, as in "striped blue can"."""
        looks = [w for w in (self.material, self.pattern) if w not in ("matte", "plain")]
        return " ".join([*looks, self.colour, self.shape])


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn. `camera` = (distance, height); `light` is a point in the world;
    `grain` holds free numbers in [0, 1) that vary the textures; `window` = (left, top, share) is the part of the
    frame that is shown, its corner and its sides in fractions of the frame's."""

    things: tuple[Thing, ...]
    table: str
    wall: str
    caption: str
    camera: tuple[float, float]
    light: tuple[float, float, float]
    ambient: float
    wall_y: float
    grain: tuple[float, float, float, float]
    window: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def moved(self, k: int, dx: float, dy: float = 0.0) -> "Scene":
        """An object moved along the table, and turned with the line of sight: it goes on showing the
        camera the side that it shows, the only one that a picture knows."""
        thing = self.things[k]
        there = replace(thing, x=thing.x + dx, y=thing.y + dy)
        return self.with_thing(k, replace(there, yaw=thing.yaw + self._bearing(there) - self._bearing(thing)))

    def resized(self, k: int, scale: float) -> "Scene":
        return self.with_thing(k, replace(self.things[k], size=self.things[k].size * scale))

    def recoloured(self, k: int, colour: str) -> "Scene":
        return self.with_thing(k, replace(self.things[k], colour=colour))

    def without(self, k: int) -> "Scene":
        """The scene after the object was removed, shadow and all."""
        return replace(self, things=self.things[:k] + self.things[k + 1 :])

    def emptied(self) -> "Scene":
        """The same place with nothing on the table, and a caption that says just that."""
        place = f"{with_article(TABLES[self.table])} in front of {with_article(WALLS[self.wall])}"
        return replace(self, things=(), caption=f"a photo of {place}")

    def front(self, k: int) -> float:
        """How far in front of an object's place the lowest point lies that is seen of it."""
        thing = self.things[k]
        elevation = math.atan2(self.camera[1], math.hypot(thing.x, thing.y + self.camera[0]))
        return thing.size * SHAPES[thing.shape].front(elevation, self._bearing(thing) - thing.yaw)

    def _bearing(self, thing: Thing) -> float:
        """The direction in which the camera sees an object, in radians around the vertical."""
        return math.atan2(thing.y + self.camera[0], thing.x)

    def with_thing(self, k: int, thing: Thing) -> "Scene":
        return replace(self, things=(*self.things[:k], thing, *self.things[k + 1 :]))


FOCAL = 1.35  # focal length over the short side of the frame
LOOK_AT = (0.0, 0.1, 0.42)


def project(scene: Scene, point: tuple[float, float, float], width: int, height: int):
    """Where a world point appears: (x, y) as fractions of the frame, and its distance."""
    distance, up = scene.camera
    rel = (point[0], point[1] + distance, point[2] - up)
    fwd = (LOOK_AT[1] + distance, LOOK_AT[2] - up)
    norm = math.hypot(*fwd)
    fy, fz = fwd[0] / norm, fwd[1] / norm
    depth = rel[1] * fy + rel[2] * fz
    short = min(width, height)
    px = FOCAL * short * rel[0] / depth + width / 2
    py = height / 2 - FOCAL * short * (rel[2] * fy - rel[1] * fz) / depth
    return px / width, py / height, depth


def extent(scene: Scene, thing: Thing, width: int, height: int):
    """The rough box of an object in the frame: (left, top, right, bottom) in fractions."""
    shape = SHAPES[thing.shape]
    radius, tall = shape.radius * thing.size, shape.height * thing.size
    short = min(width, height)
    x, low, depth = project(scene, (thing.x, thing.y - radius, 0.0), width, height)
    _, top, _ = project(scene, (thing.x, thing.y + 0.5 * radius, tall), width, height)
    half = FOCAL * short * radius / depth / width
    return x - half, top, x + half, low


def sample_scene(seed: int, width: int = 128, height: int = 128, looks: Looks = COMMON) -> Scene:
    """The scene of a seed, composed for a frame of this shape from objects with these looks; the same call, the same
    scene."""
    rng = random.Random(seed)
    scene = Scene(
        things=(),
        table=rng.choice(list(TABLES)),
        wall=rng.choice(list(WALLS)),
        caption="",
        camera=(rng.uniform(4.2, 5.2), rng.uniform(1.7, 2.9)),
        light=(rng.choice((-1, 1)) * rng.uniform(0.8, 3.2), rng.uniform(-3.5, -0.5), rng.uniform(3.6, 6.0)),
        ambient=rng.uniform(0.35, 0.5),
        wall_y=rng.uniform(1.3, 2.2),
        grain=(rng.random(), rng.random(), rng.random(), rng.random()),
    )
    wanted = rng.choices((1, 2, 3), weights=(3, 5, 3))[0]
    for _ in range(60):
        if len(scene.things) == wanted:
            break
        thing = _sample_thing(rng, scene.things, width / min(width, height), looks)
        if _fits(scene, thing, width, height):
            scene = replace(scene, things=(*scene.things, thing))
    if not scene.things:
        first = Thing("ball", rng.choice(list(COLOURS)), "plain", "matte", 0.0, 0.0, 0.4)
        scene = replace(scene, things=(first,))
    return replace(scene, caption=caption_of(rng, scene, scene.things))


def _sample_thing(rng: random.Random, others: tuple[Thing, ...], wide: float, looks: Looks) -> Thing:
    shape = rng.choice([s for s in SHAPES if s not in {o.shape for o in others}])
    colour = rng.choice([c for c in COLOURS if c not in {o.colour for o in others}])
    pattern = rng.choices(PATTERNS, weights=looks.patterns)[0]
    material = rng.choices(MATERIALS, weights=looks.plain if pattern == "plain" else looks.patterned)[0]
    bulk = SHAPES[shape].height + 2 * SHAPES[shape].radius
    size = rng.uniform(1.1, 2.7) / bulk
    x, y = rng.uniform(-1.35, 1.35) * wide, rng.uniform(-0.9, 0.8)
    return Thing(shape, colour, pattern, material, x, y, size, rng.uniform(0, math.pi))


def _fits(scene: Scene, thing: Thing, width: int, height: int) -> bool:
    """Inside the frame, clear of the wall, and at most slightly in front of another object."""
    left, top, right, bottom = extent(scene, thing, width, height)
    if left < 0.02 or right > 0.98 or top < 0.03 or bottom > 0.97:
        return False
    if thing.y + SHAPES[thing.shape].radius * thing.size > scene.wall_y - 0.1:
        return False
    for other in scene.things:
        l2, t2, r2, b2 = extent(scene, other, width, height)
        across = min(right, r2) - max(left, l2)
        along = min(bottom, b2) - max(top, t2)
        if across > 0.1 * min(right - left, r2 - l2) and along > 0:
            return False
        reach = SHAPES[thing.shape].radius * thing.size + SHAPES[other.shape].radius * other.size
        if math.hypot(thing.x - other.x, thing.y - other.y) < 1.05 * reach:
            return False
    return True


def caption_of(rng: random.Random, scene: Scene, named: Sequence[Thing]) -> str:
    """Words for a scene that name these of its objects, in any order."""
    things = list(named)
    rng.shuffle(things)
    names = [with_article(t.phrase) for t in things]
    if len(names) == 3:
        listed = rng.choice((f"{names[0]}, {names[1]} and {names[2]}", " and ".join(names)))
    else:
        listed = rng.choice(JOINS).join(names)
    text = f"{rng.choice(OPENINGS)} {listed}"
    if rng.random() < 0.9:
        text += f" on {with_article(TABLES[scene.table])}"
    if rng.random() < 0.4:
        text += f" in front of {with_article(WALLS[scene.wall])}"
    return text.strip()


def with_article(phrase: str) -> str:
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase
